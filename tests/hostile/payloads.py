"""What others may send: for every test that looks at what comes out."""

FORBIDDEN = {
    *(chr(code) for code in range(0x20) if chr(code) != "\n"),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\u00ad",
}
"""Characters that never reach a terminal out of somebody's text."""

PAYLOADS = (
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]52;c;ZXZpbA==\x1b\\",
    "\x9d52;c;ZXZpbA==\x9c",
    "\x1b]0;owned\x07",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1bP$q q\x1b\\",
    "\x1b[2J\x1b[H",
    "\x1b[6n",
    "\x9b31m",
    "\x1bc",
    "\x1b]unterminated",
    "a\x08\x08b\rc\x0bd\x0ce",
    "\x00null",
    "\x7fdel",
    "left\u202eright",
    "\u2066isolate\u2069",
    "bom\ufeff soft\u00adhyphen",
    "\ud800lonely",
    "tab\tbed",
    "e" + "\u0301" * 500,
    "[@click=app.quit]x[/]",
    "[/]",
    "[bold red]loud",
    "[link=https://evil.example]x[/link]",
    "[[$accent]]",
    "{name} {0} {who!r:>99999999}",
    "%s %(x)s %n",
    "line one\nline two\r\nline three\u2028four\u2029five\x85six",
    "👨\u200d👩\u200d👧\u200d👦 👍🏽 ❤\ufe0f 🏳\ufe0f\u200d🌈 1\ufe0f\u20e3",
    "word " * 2000,
    "x" * 20_000,
    "宽" * 3_000,
    " \u3164\u115f\u2800 ",
    "",
)
"""Escape sequences, controls, bidi, markup, format strings, clusters of doubtful width, and plain size."""
