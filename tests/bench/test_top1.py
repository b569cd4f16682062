"""`--top1`: accuracies that the user states."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.records.network_run import network_of
from bench.top1 import read_table, with_top1
from models import UserError, find

(RESNET,) = find("ResNet-50")
(CUSTOM,) = find("zennet:SuperConvK3BNRELU(3,8,4,1)@32")


def stated(models, given):
    return [network_of(model).top1_percent for model in with_top1(models, given)]


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "accuracies.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_number_is_of_the_one_network():
    assert stated([CUSTOM], "82.1") == [82.1]
    assert stated([CUSTOM], None) == [None]
    assert stated([RESNET], "80.4") == [80.4]


def test_a_number_is_of_no_several_networks_and_hides_no_published_accuracy():
    with pytest.raises(UserError, match="--top1 fits one network: 2 networks"):
        with_top1([RESNET, CUSTOM], "82.1")
    with pytest.raises(UserError, match=r"EfficientNet-B3: 81.1 % is published; .*timm:tf_efficientnet_b3.aa_in1k@300"):
        with_top1(find("EfficientNet-B3"), "82.1")


@pytest.mark.parametrize("percent", ["0", "-1", "100.1", "nan", "inf"])
def test_a_number_that_is_no_percentage_is_refused(percent):
    with pytest.raises(UserError, match="no accuracy in percent"):
        with_top1([CUSTOM], percent)


@pytest.mark.parametrize(
    ("model", "row"),
    [
        ("ResNet-50", "resnet-50"),
        ("ResNet-50", "resnet50.gluon_in1k"),
        ("ResNet-50", "resnet50"),
        ("timm:resnet18", "resnet18.a1_in1k"),
        ("timm:resnet18.", "resnet18.a1_in1k"),
        ("timm:resnet18", "timm:resnet18"),
        ("timm:resnet18.tv_in1k", "resnet18.tv_in1k"),
    ],
)
def test_a_table_names_a_network_as_the_command_or_as_timm_does(table, model, row):
    path = table(f"model,top1,top5\nanother,12.5,50\n{row},71.25,90\n")
    assert stated(find(model), path) == [71.25]


def test_the_row_of_other_weights_is_not_taken(table):
    path = table("model,top1\nresnet50.a1_in1k,80.4\nresnet18.tv_in1k,69.7\n")
    assert stated([*find("timm:resnet18.tv_in1k"), RESNET], path) == [69.7, RESNET.top1_percent]


def test_the_row_of_the_network_s_resolution_is_taken(table):
    path = table("model,img_size,top1\nresnet50.gluon_in1k,160,70\nresnet50.gluon_in1k,224,77.5\n")
    assert stated([RESNET, RESNET.at_resolution(160), RESNET.at_resolution(288)], path) == [77.5, 70, None]


def test_published_accuracies_stay(table):
    assert stated(find("EfficientNet-B3"), table("model,top1\nEfficientNet-B3,12\n")) == [81.1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no table of accuracies: no line"),
        ("model,accuracy\nResNet-50,80\n", "no table of accuracies: model, accuracy; give columns model and top1"),
        ("model,top1\nResNet-50,high\n", ":2: no accuracy in percent: 'high'"),
        ("model,top1\nResNet-50\n", ":2: no accuracy in percent: None"),
        ("model,img_size,top1\nResNet-50,big,80\n", ":2: no resolution in pixels: 'big'"),
        ("model,top1\nResNet-50,80\nresnet-50,81\n", ":3 states a second accuracy: resnet-50"),
        ('model,top1\n"ResNet-50"x,80\n', " is no CSV"),
        ("model,top1\nanother,80\n", "has none of the networks: 1 rows"),
    ],
)
def test_what_can_t_be_read_is_one_line(table, text, said):
    with pytest.raises(UserError, match=said) as refused:
        with_top1([RESNET], table(text))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("path", ["absent.csv", ".", "\0", "x" * 5000])
def test_a_file_that_can_t_be_opened_is_one_line(path):
    with pytest.raises(UserError, match="can't read --top1"):
        with_top1([RESNET], path)


@example("model,top1\n\x00,1\n")
@example("\ufeffmodel,top1\nä,1e1\n")
@given(st.text() | st.text(alphabet='model,top1\n"\r0123456789.e-', max_size=60).map("model,top1\n".__add__))
def test_any_text_is_a_table_or_one_line(text):
    try:
        table = read_table(text, "a.csv")
    except UserError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert all(0 < percent <= 100 for percent in table.values())


@given(st.dictionaries(st.text(min_size=1).map(str.lower), st.floats(0.001, 100), max_size=8))
def test_a_table_is_read_as_it_was_written(accuracies):
    text = io.StringIO()
    csv.writer(text).writerows([("model", "top1_percent"), *accuracies.items()])
    lower = {name.lower(): percent for name, percent in accuracies.items()}
    assert read_table(text.getvalue(), "a.csv") == {(name, None): percent for name, percent in lower.items()}
