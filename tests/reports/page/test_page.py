import json
import re
import time
from pathlib import Path

import pytest
from msgspec.structs import asdict, replace

from bench.accuracy.record import accuracy_file
from bench.protocol import Protocol
from bench.trust.verdict import Verdict
from devices.targets import find_targets
from models.published import published
from reports.__main__ import main
from tests.needs import program

HOSTILE = "<img src=x onerror=document.title='owned'>|$\\input{x}$</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory, make_record, make_accuracy, trained, network_of) -> Path:
    """A page of two measured targets, one network with a hostile name, one cell without a number and one accuracy."""
    from bench.records.store import append_line

    folder = tmp_path_factory.mktemp("page")
    hostile = replace(network_of("mine", 82.0, family=HOSTILE), name=HOSTILE)
    target = replace(find_targets("cpu")[0], name="evil", title=HOSTILE, note=HOSTILE)
    records = [
        make_record(name, "cpu", [0.01 * (1 + at) * (1 + 0.01 * (part % 2)) for part in range(6)])
        for at, name in enumerate(published())
    ]
    records += [
        make_record(hostile, "cpu", verdict=Verdict(word="drifting", detail="±9 %")),
        make_record("EfficientNet-B3", "cpu-torch", None, reason="out of <b>memory</b>"),
    ]
    evaluated = trained(make_record(hostile, target))
    append_line(accuracy_file(folder / "results", "evil"), make_accuracy(evaluated, 80, folder=HOSTILE))
    for record in [*records, evaluated]:
        append_line(folder / "results" / f"{record.target.name}.jsonl", record)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["reports", "render", "--results", f"{folder}/results", "--out", f"{folder}/out"])
        assert main() == 0
    return folder / "out" / "report.html"


BROWSER = "apt-get install chromium chromium-driver brings it"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome", fix=BROWSER)
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
    for flag in [*flags.split(), "disable-component-update", "disable-sync", "window-size=1400,1500"]:
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(program("chromedriver", fix=BROWSER)))
    yield driver
    driver.quit()


def drawn(browser) -> int:
    return int(browser.execute_script("return document.body.dataset.drawn || 0"))


def wait_until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the page did not get there"
        time.sleep(0.02)


@pytest.fixture
def opened(browser, page):
    """The page, freshly opened; at the end the console must be empty."""
    browser.get(page.as_uri())
    wait_until(lambda: drawn(browser) == 1)
    yield browser
    assert browser.get_log("browser") == []
    assert browser.title == "Speed and accuracy"


def press(browser, label):
    before = drawn(browser)
    buttons = browser.find_elements("css selector", ".chips button")
    next(button for button in buttons if button.text == label).click()
    wait_until(lambda: drawn(browser) > before)


def titles(browser):
    return [element.text for element in browser.find_elements("css selector", ".panel h3")]


_CPU = "[...document.querySelectorAll('.panel')].find((panel) => panel.textContent.startsWith('CPU, ONNX'))"


def plots(browser, expression):
    """`expression` of the CPU panel's plotly element `plot`."""
    return browser.execute_script(f"const plot = {_CPU}.querySelector('.js-plotly-plot'); return {expression}")


def test_measured_targets_are_shown_and_others_can_be_switched_on(opened):
    assert titles(opened)[:3] == ["NVIDIA V100 FP16", "NVIDIA T4 TensorRT INT8", "CPU, ONNX Runtime FP32"]
    press(opened, "Google Pixel 2")
    assert "Google Pixel 2" in titles(opened)
    press(opened, "CPU, ONNX Runtime FP32")
    assert "CPU, ONNX Runtime FP32" not in titles(opened)


def test_the_first_chart_is_drawn_before_all_are_and_every_table_can_be_sorted(opened):
    marks = "return performance.getEntriesByType('mark').map((mark) => mark.name)"
    assert opened.execute_script(marks) == ["first chart", "drawn"]
    assert opened.find_elements("css selector", ".plot > svg") == []
    tables = opened.find_elements("css selector", "table")
    assert len(tables) > 2
    assert all(table.find_elements("css selector", "thead button") for table in tables)


def test_until_the_library_is_there_each_panel_shows_a_still_of_every_point(browser, page):
    never = "window.DecompressionStream = class { readable = new ReadableStream(); writable = new WritableStream() }"
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": never})
    browser.get(page.as_uri())
    wait_until(lambda: browser.execute_script("return performance.getEntriesByName('first chart').length"))
    panels = browser.find_elements("css selector", ".panel:not([hidden])")
    stills = browser.find_elements("css selector", ".panel:not([hidden]) .plot > svg")
    assert len(stills) == len(panels) >= 3
    networks = "return data.panels.find((panel) => panel.target === 'cpu').series.flatMap((each) => each.points).length"
    still = next(still for still, panel in zip(stills, panels, strict=True) if panel.text.startswith("CPU, ONNX"))
    markers = still.find_elements("css selector", "path[transform]")
    assert len(markers) == browser.execute_script(networks) > 10
    inside, box = still.rect, [marker.rect for marker in markers]
    assert all(inside["x"] < at["x"] < inside["x"] + inside["width"] for at in box)
    assert all(inside["y"] < at["y"] < inside["y"] + inside["height"] for at in box)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert browser.get_log("browser") == []


def test_hovering_a_point_tells_its_latency_interval_verdict_and_speedup(opened):
    from selenium.webdriver import ActionChains

    place = plots(
        opened,
        "(() => { const box = plot.getBoundingClientRect(), axes = plot._fullLayout;"
        "const named = (text) => text.includes('latency12ms');"
        "const trace = plot.data.find((trace) => (trace.customdata || []).some(named));"
        "const at = trace.customdata.findIndex(named);"
        "return [box.x + axes.xaxis._offset + axes.xaxis.d2p(trace.x[at]),"
        "box.y + axes.yaxis._offset + axes.yaxis.d2p(trace.y[at])].map(Math.round) })()",
    )
    ActionChains(opened).move_by_offset(0, 0).perform()
    actions = ActionChains(opened)
    actions.w3c_actions.pointer_action.move_to_location(*place)
    actions.perform()
    shown = "return [...document.querySelectorAll('.hoverlayer')].map((layer) => layer.textContent).join('')"
    wait_until(lambda: opened.execute_script(shown))
    text = opened.execute_script(shown)
    assert "zennet_imagenet1k_latency12ms_res224" in text
    assert re.search(r"\d+\.?\d* \(.+–.+\) ms", text)
    assert "stable" in text
    assert re.search(r"against EfficientNet at equal accuracy: .+x", text)


def test_a_measured_accuracy_has_a_bar_and_an_edge_of_its_own(opened):
    edges = "plot.data.filter((trace) => trace.error_y?.visible).map((trace) => trace.marker.line.color)"
    assert plots(opened, edges) == []
    ink = opened.execute_script("return colour('--ink')")
    traces = "[...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) => plot.data)"
    found = opened.execute_script(f"return {traces}.filter((trace) => trace.error_y?.visible)")
    ((trace),) = found
    assert (trace["y"], trace["marker"]["line"]["color"]) == ([80], ink)
    assert trace["error_y"]["array"][0] > 6
    assert trace["error_y"]["arrayminus"][0] > 8
    links = opened.find_elements("css selector", "main li a[href$='.jsonl']")
    assert [link.text for link in links] == ["cpu.jsonl", "cpu-torch.jsonl", "evil.jsonl", "accuracy/evil.jsonl"]


def test_a_family_can_be_switched_off_and_on(opened):
    names = "plot.data.map((trace) => trace.name)"
    assert "EfficientNet" in plots(opened, names)
    press(opened, "EfficientNet")
    assert "EfficientNet" not in plots(opened, names)
    assert plots(opened, "plot.layout.annotations.length") == 0
    press(opened, "EfficientNet")
    assert "EfficientNet" in plots(opened, names)


def test_the_latency_axis_can_be_logarithmic_and_published_numbers_hidden(opened):
    press(opened, "logarithmic latency")
    assert plots(opened, "plot._fullLayout.xaxis.type") == "log"
    ticks = plots(opened, "[...plot.querySelectorAll('.xtick')].map((tick) => tick.textContent)")
    assert len(ticks) >= 3
    assert [float(tick) for tick in ticks] == sorted({float(tick) for tick in ticks})
    press(opened, "published numbers")
    assert all(
        opened.execute_script(
            "return [...document.querySelectorAll('.js-plotly-plot')].map((plot) => "
            "plot.data.every((trace) => (trace.line.dash !== 'dash')))"
        )
    )


@pytest.mark.parametrize(("share", "above"), [(0.05, True), (0.95, False)])
def test_a_text_that_is_longer_than_the_room_beside_its_arrow_stays_within_the_plot(opened, share, above):
    text = "0.94x: no difference found (0.77 to 1.14), not all usable"
    arrow = {"text": text, "above": above, "published": False}
    redraw = f"""
        const [arrow, share, done] = arguments;
        const panel = data.panels.find((each) => each.target === "cpu"), [low, high] = panel.latency_range;
        const ms = low + (high - low) * share, place = {{ ms, baseline_ms: ms, top1: 80, text_top1: 80 }};
        panel.arrow = {{ ...place, family: "ZenNet", against: "EfficientNet", ...arrow }};
        const plot = {_CPU}.querySelector(".js-plotly-plot");
        draw(panel, plot).then(() => {{
          const texts = [...plot.querySelectorAll(".annotation-text")];
          const written = texts.find((each) => each.textContent.startsWith(arrow.text.slice(0, 5)));
          const boxes = [written, plot.querySelector(".nsewdrag")].map((each) => each.getBoundingClientRect());
          done(boxes.map((box) => [box.left, box.right]));
        }});"""
    (left, right), (start, end) = opened.execute_async_script(redraw, arrow, share)
    assert right - left > (end - start) / 4
    assert start - 1 <= left < right <= end + 1


def test_a_lone_network_has_ticks_on_a_logarithmic_axis(opened):
    press(opened, "NVIDIA V100 FP16")
    others = [title for title in titles(opened) if title and not title.startswith("<img")]
    for title in others:
        press(opened, title)
    press(opened, "logarithmic latency")
    ticks = [tick.text for tick in opened.find_elements("css selector", ".panel:not([hidden]) .xtick")]
    assert len(ticks) >= 3
    assert [float(tick) for tick in ticks] == sorted({float(tick) for tick in ticks})


@pytest.mark.parametrize(("low", "high"), [(1.0005, 1.3005), (0.7, 1.0), (-2.3, -2.0), (0.05, 0.99), (2.15, 2.45)])
def test_any_short_logarithmic_range_has_a_few_ticks(opened, low, high):
    ticks = opened.execute_script("return logTicks(arguments).tickvals", low, high)
    assert 3 <= len(ticks) <= 10
    assert all(10**low * 0.999999 <= tick <= 10**high * 1.000001 for tick in ticks)


def test_switching_while_the_panels_are_still_drawn_ends_in_what_was_chosen_last(opened):
    buttons = [button for button in opened.find_elements("css selector", "#targets button") if button.is_displayed()]
    before, labels = drawn(opened), [button.text for button in buttons]
    opened.execute_script("for (const button of arguments[0]) button.click()", buttons)
    wait_until(lambda: drawn(opened) > before)
    pressed = [button.text for button in buttons if button.get_attribute("aria-pressed") == "true"]
    assert [title for title in titles(opened) if title] == pressed != labels


def test_a_hidden_panel_is_kept_and_fits_when_it_is_shown_again(opened):
    press(opened, "CPU, ONNX Runtime FP32")
    opened.execute_script("window.kept = document.querySelectorAll('.panel[hidden] .plot')[0]")
    metrics = {"width": 900, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    press(opened, "CPU, ONNX Runtime FP32")
    assert plots(opened, "plot === window.kept")
    assert plots(opened, "Math.abs(plot._fullLayout.width - plot.clientWidth) <= 1")
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_browser_that_cannot_unpack_the_chart_says_so(browser, page):
    script = {"source": "delete window.DecompressionStream"}
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    browser.get(page.as_uri())
    wait_until(lambda: "needs DecompressionStream" in browser.find_element("id", "panels").text)
    assert browser.find_elements("css selector", ".chips") == []
    assert browser.find_elements("css selector", "#sheet-0 thead button")
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert browser.get_log("browser") == []


def test_a_column_sorts_both_ways_and_what_has_no_number_stays_last(opened):
    def column(at):
        rows = opened.find_elements("css selector", "#sheet-0 tbody tr")
        return [row.find_elements("css selector", "th, td")[at].get_attribute("data-value") for row in rows]

    heads = opened.find_elements("css selector", "#sheet-0 thead th")
    at = next(number for number, head in enumerate(heads) if head.text.startswith("cpu,"))
    button = heads[at].find_element("css selector", "button")
    for turn in (1, -1):
        opened.execute_script("arguments[0].click()", button)
        values = column(at)
        numbers = [float(value) for value in values if value is not None]
        assert numbers == sorted(numbers, reverse=turn < 0)
        assert None not in values[: len(numbers)]


def test_foreign_text_is_shown_and_never_run(opened):
    assert opened.find_elements("css selector", "main img") == []
    assert opened.find_element("css selector", "#sheet-0 tbody tr:last-child th").text.startswith("<img src=x")


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (1400, "dark"), (390, "light"), (390, "dark")])
def test_it_fits_any_width_and_follows_the_colour_scheme(opened, width, scheme):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    wait_until(lambda: opened.execute_script("return document.documentElement.scrollWidth") <= width)
    paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 24, 27)"}[scheme]
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_switch_that_is_off_can_be_read(opened, scheme):
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    style = "const style = getComputedStyle(arguments[0]); return [style.color, style.opacity]"
    off = opened.find_element("css selector", ".chips button[aria-pressed=false]")
    colour, opacity = opened.execute_script(style, off)
    paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert opacity == "1"
    assert contrast(colour, paper) >= 4.5
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_family_stands_out_from_the_paper(opened, scheme):
    before = drawn(opened)
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    wait_until(lambda: scheme == "light" or drawn(opened) > before)
    paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    colours = plots(opened, "plot.data.filter((trace) => trace.name).map((trace) => trace.line.color)")
    assert len(set(colours)) == 3
    assert all(contrast(colour, paper) >= 3 for colour in colours)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours written as rgb(r, g, b)."""

    def luminance(colour: str) -> float:
        shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_groups_tables_and_plots_have_names(opened):
    def attributes(selector, *names):
        return [
            tuple(element.get_attribute(name) for name in names)
            for element in opened.find_elements("css selector", selector)
        ]

    for role, label in attributes(".chips", "role", "aria-labelledby"):
        assert (role, bool(opened.find_element("id", label).text)) == ("group", True)
    assert {role for role, _ in attributes(".scroll", "role", "aria-label")} == {"region"}
    assert {role for role, _ in attributes(".plot", "role", "aria-label")} == {"img"}
    named = [*attributes(".scroll", "aria-label"), *attributes(".plot", "aria-label")]
    assert all(label for (label,) in named)
    assert len(set(named)) == len(named)


def lines_of_name(browser) -> int:
    """On how many lines the name of a ZenNet stands in the overview."""
    return browser.execute_script(
        "const heads = [...document.querySelectorAll('#sheet-0 tbody th')], range = new Range();"
        "range.selectNodeContents(heads.find((head) => head.textContent.includes('latency12ms')));"
        "return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size"
    )


def marks_below_their_headings(browser) -> list[str]:
    """The marks that stand on a line of their own."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#sheet-0 thead sup')].filter((mark) => mark.getBoundingClientRect().top"
        " > mark.closest('th').querySelector('button').getBoundingClientRect().bottom - 6)"
        ".map((mark) => mark.textContent)"
    )


def test_on_a_desk_a_name_is_one_line_and_a_mark_stands_beside_its_heading(opened):
    assert lines_of_name(opened) == 1
    assert marks_below_their_headings(opened) == []


def test_on_a_phone_the_arrows_words_stay_on_the_plot_and_names_break_between_words(opened):
    metrics = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    words = "0.82x: slower (0.80 to 0.85), not all usable"
    opened.execute_script("data.panels.forEach((panel) => { if (panel.arrow) panel.arrow.text = arguments[0] })", words)
    press(opened, "published numbers")
    press(opened, "published numbers")
    box = "getBoundingClientRect()"
    left = (
        f"plot.querySelector('.annotation-text').{box}.left - plot.querySelector('.bglayer, .plotbg, .xy').{box}.left"
    )
    assert plots(opened, left) >= 0
    assert lines_of_name(opened) == 2
    assert marks_below_their_headings(opened) == []
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_is_one_file_with_conditions_protocol_and_links_to_the_records(page):
    text = page.read_text()
    assert len(text) <= 6_000_000
    assert re.findall(r'(?:src|href)="(?!#|data:|\.\./results/)[^"]*"', text.replace("<img src=x", "")) == []
    assert 'href="../results/cpu.jsonl"' in text
    assert "seconds of a sweep, loading and cooling aside, for all networks" in text
    protocol = re.search(r"<h2>Protocol</h2>\n<dl>(.*?)</dl>", text, re.DOTALL)[1]
    values = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?): .+?</dd>", protocol))
    assert values == {name: f"{value:g}" for name, value in asdict(Protocol()).items()}
    assert "<dt>machine cpu</dt>" in text
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert {panel["target"] for panel in json.loads(data)["panels"]} >= {"cpu", "evil", "v100", "t4", "pixel2"}
