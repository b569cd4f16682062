"""Draw docs/architecture.svg: the five rooms, what flows between them, and what lies on disk."""

from pathlib import Path

ROOMS = (
    ("models/", "what is measured", ("zoo · structure grammar", "seeded weights, checkpoints", "published numbers")),
    (
        "exporters/",
        "the file a runtime loads",
        ("a to_FORMAT.py each", "cache by content", "check against torch"),
    ),
    ("devices/", "where it runs", ("targets.toml", "one module a runtime", "clocks, evidence, conditions")),
    ("bench/", "how it is measured", ("protocol · rounds · reference", "journal · records", "estimate · verdict")),
    ("reports/", "what people read", ("table · chart · page", "compare", "roofline floor")),
)
FLOWS = ("Model", "Artifact", "Samples", "Record")
DISK = ("", "artifacts/", "", "results/*.jsonl", "out/")
WIDTH, GAP, HEIGHT, TOP = 232, 46, 150, 40


def main() -> None:
    """Write the picture."""
    total = len(ROOMS) * WIDTH + (len(ROOMS) - 1) * GAP + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} 320" font-family="sans-serif" font-size="14">',
        f'<rect width="{total}" height="320" fill="#ffffff"/>',
        '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>',
    ]
    for index, (name, role, contents) in enumerate(ROOMS):
        x = 20 + index * (WIDTH + GAP)
        parts.append(
            f'<rect x="{x}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#eef3f8" stroke="#36648b"/>'
            f'<text x="{x + 14}" y="{TOP + 28}" font-weight="bold" font-size="17">{name}</text>'
            f'<text x="{x + 14}" y="{TOP + 50}" fill="#36648b">{role}</text>'
        )
        parts += [f'<text x="{x + 14}" y="{TOP + 82 + 22 * row}">{line}</text>' for row, line in enumerate(contents)]
        if DISK[index]:
            middle = x + WIDTH / 2
            parts.append(
                f'<line x1="{middle}" y1="{TOP + HEIGHT}" x2="{middle}" y2="240" stroke="#444" marker-end="url(#a)"/>'
                f'<rect x="{x + 20}" y="242" width="{WIDTH - 40}" height="34" rx="4" fill="#fff7e0" stroke="#b58900"/>'
                f'<text x="{middle}" y="264" text-anchor="middle">{DISK[index]}</text>'
            )
        if index < len(FLOWS):
            start = x + WIDTH
            parts.append(
                f'<line x1="{start + 4}" y1="{TOP + 75}" x2="{start + GAP - 4}" y2="{TOP + 75}" stroke="#444" '
                'stroke-width="2" marker-end="url(#a)"/>'
                f'<text x="{start + GAP / 2}" y="{TOP - 12}" text-anchor="middle" fill="#444">{FLOWS[index]}</text>'
            )
    parts.append(
        '<text x="20" y="306" fill="#444">A room imports from the rooms to its left, never to its right.</text>'
    )
    parts.append("</svg>")
    Path(__file__).with_name("architecture.svg").write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
