"""What a robots.txt says to us (RFC 9309)."""

import time

import pytest

from shared.adapters.http.robots_rules import RobotsRules


def allows(text: str, path: str) -> bool:
    return RobotsRules.read(text.encode(), "Tessera").allows(path)


ALL = "User-agent: *\n"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/a", True),
        (ALL + "Disallow: /", "/a", False),
        (ALL + "Disallow:", "/a", True),
        (ALL + "Disallow: /a", "/ab", False),
        (ALL + "Disallow: /a/", "/a", True),
        (ALL + "Disallow: /a\nAllow: /ab", "/abc", True),
        (ALL + "Allow: /a\nDisallow: /ab", "/abc", False),
        (ALL + "Disallow: /a\nAllow: /a", "/a", True),
        (ALL + "Disallow: /*.pdf$", "/terms.pdf", False),
        (ALL + "Disallow: /*.pdf$", "/terms.pdf?v=1", True),
        (ALL + "Disallow: /a*z", "/abcz9", False),
        (ALL + "Disallow: *secret", "/x/secret", False),
        (ALL + "Disallow: /a$", "/a", False),
        (ALL + "Disallow: /a$", "/ab", True),
        (ALL + "Disallow: /ab*ab$", "/ab", True),
        (ALL + "Disallow: /search?q=", "/search?q=x", False),
        (ALL + "Disallow: /stra%C3%9Fe", "/stra%c3%9fe", False),
        (ALL + "Disallow: /straße", "/stra%C3%9Fe", False),
        (ALL + "Disallow: /%61", "/a", False),
        (ALL + "Disallow: /file-with-a-%2A.html", "/file-with-a-*.html", False),
        (ALL + "Disallow: /file-with-a-%2A.html", "/file-with-a-b.html", True),
        (ALL + "Disallow: /foo-%24", "/foo-$", False),
        (ALL + "Disallow: /foo-%24", "/foo-", True),
        (ALL + "Disallow: /a$b", "/a$b", False),
        (ALL + "Disallow: /a*$", "/a$b", False),
        ("\ufeff" + ALL + "Disallow: /", "/a", False),
        ("user-AGENT : *\r\ndisallow : / # all\r\n", "/a", False),
        ("User-agent: tessera\nDisallow: /\n\n" + ALL + "Allow: /", "/a", False),
        ("User-agent: TESSERA/2.0\nDisallow: /", "/a", False),
        ("User-agent: Tessera\nAllow: /\n\n" + ALL + "Disallow: /", "/a", True),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("User-agent: other\nUser-agent: tessera\nDisallow: /", "/a", False),
        ("User-agent: tessera\nDisallow: /a\n\nUser-agent: tessera\nDisallow: /b", "/b", False),
        ("Disallow: /\n" + ALL, "/a", True),
        ("User-agent: tesseract\nDisallow: /", "/a", True),
        ("<html><body>Not: here</body>", "/a", True),
    ],
)
def test_rule_is_heeded(text, path, expected):
    assert allows(text, path) is expected


def test_hostile_pattern_costs_no_time():
    text = ALL + "Disallow: /" + "*a" * 2000 + "$"
    started = time.process_time()

    assert allows(text, "/" + "a" * 1990 + "b")
    assert time.process_time() - started < 1


def test_what_is_no_text_says_nothing():
    assert RobotsRules.read(b"\xff\xfe\x00" * 100, "Tessera").allows("/")
