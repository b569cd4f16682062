import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fleet import messages
from bench.fleet.messages import (
    Content,
    Fetch,
    Happened,
    Held,
    Now,
    Offer,
    Part,
    Refused,
    encode,
    read_answer,
    read_question,
)
from bench.fleet.wanted import WantedFile
from system.errors import UserError

SHA = "0" * 64
QUESTIONS = [
    Fetch(sha256=SHA, offset=3),
    Part(sha256=SHA, offset=0, content=b"\x00\xff"),
    messages.Hello(artifacts="/somewhere", token="t"),
    messages.Make(jobs=[WantedFile(model="EfficientNet-B0", format="onnx", precision="fp32", batch=1)]),
    messages.Clock(elapsed_s=1.5),
    messages.End(),
    Now(),
]
ANSWERS = [
    Content(content=b"some"),
    Held(size_bytes=4, whole=False),
    Refused(reason="no", gone=True),
    Happened(opened=[], visit=None, lost="hung", elapsed_s=1.0, loading_s=0.5),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: type(each).__name__)
def test_a_question_arrives_as_it_was_asked(question):
    assert read_question(encode(question)) == question


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda each: type(each).__name__)
def test_an_answer_arrives_as_it_was_given(answer):
    assert read_answer(encode(answer), type(answer)) == answer


def refused_in_one_line(read, message):
    try:
        return read(message)
    except UserError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
        return None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_one_error(content):
    refused_in_one_line(read_question, content)
    refused_in_one_line(lambda message: read_answer(message, Held), content)


changed = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4)


@given(st.sampled_from([*QUESTIONS, *ANSWERS]), changed, st.integers(0, 400))
def test_a_damaged_message_is_a_message_or_one_error(message, changes, length):
    content = bytearray(encode(message))
    for place, value in changes:
        content[place % len(content)] = value
    for damaged in (bytes(content), bytes(content[:length]), bytes(content) * 2):
        refused_in_one_line(read_question, damaged)
        refused_in_one_line(lambda came: read_answer(came, Happened), damaged)


@pytest.mark.parametrize("byte", [b"\x91", b"\x81\xa1x", b"\xc1"])
def test_a_message_nested_without_end_is_one_error(byte):
    for message in (byte * 300_000, b"\x82\xa4type\xa4Held\xa1x" + byte * 300_000):
        with pytest.raises(UserError, match="can't be read"):
            read_answer(message, Held)
        with pytest.raises(UserError, match="can't be read"):
            read_question(message)


def test_an_answer_of_another_kind_is_refused_and_says_which_it_was():
    with pytest.raises(UserError, match="Content in place of Held"):
        read_answer(encode(Content(content=b"")), Held)


def test_a_question_is_no_answer():
    with pytest.raises(UserError, match="can't be read"):
        read_answer(encode(Now()), Held)


@pytest.mark.parametrize("field", ["size_bytes", "path", "sha256", "batch", "made_by"])
def test_a_field_of_another_type_is_refused(field, a_file):
    artifact, _ = a_file
    table = msgspec.msgpack.decode(encode(Offer(artifact=artifact)))
    table["artifact"][field] = [None]
    with pytest.raises(UserError, match=field):
        read_question(encode(table))


def test_messages_hold_no_python_objects():
    """Whatever a message is decoded into, none of its types can name code."""
    assert not any(dataclasses.is_dataclass(kind) for kind in vars(messages).values())
    with pytest.raises(UserError):
        read_answer(b"\x80\x04\x95\x10\x00\x00\x00", Held)  # the beginning of a pickle
