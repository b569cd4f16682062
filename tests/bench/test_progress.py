import bench.progress
from bench.progress import stage


def test_a_log_gets_a_line_a_minute_with_what_is_left(monkeypatch, capsys):
    now_s = 0.0
    monkeypatch.setattr(bench.progress.time, "monotonic", lambda: now_s)
    with stage("evaluate", 1000) as bar:
        for done in range(1, 1001):
            now_s += 0.25
            bar.at(done, f"B3, {done} images")
    assert capsys.readouterr().err.splitlines() == [
        "evaluate: 24%, 3 min left: B3, 240 images",
        "evaluate: 48%, 2 min left: B3, 480 images",
        "evaluate: 72%, 1 min left: B3, 720 images",
        "evaluate: 96%, 0 min left: B3, 960 images",
        "evaluate: 250 s",
    ]


def test_a_short_stage_says_nothing(capsys):
    with stage("export", 3) as bar:
        bar.at(3, "B3")
    assert capsys.readouterr().err == ""
