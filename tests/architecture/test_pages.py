"""Does what the pages name exist? A reader in trouble types what a runbook says."""

import re
from pathlib import Path

import pytest

from infra_cdk.settings import Settings
from shared.operations.capabilities import RESOURCES
from shared.operations.declaration import HttpTrigger
from shared.operations.registry import all_operations
from tests.benchmarks.__main__ import NAMES

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {"operations.md", "permissions.md", "forgeries.md", "benchmarks.md"}
PAGES = [
    page
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
    if page.name not in GENERATED
]
OPERATIONS = all_operations()
ROUTES = [
    (operation.trigger.method, operation.trigger.path)
    for operation in OPERATIONS
    if isinstance(operation.trigger, HttpTrigger)
]
DEPLOYED = {operation.id for operation in OPERATIONS} | {resource.name for resource in RESOURCES} | {"overview"}
FOREIGN = {
    "AUTH", "DatabaseConnections", "If-None-Match", "RateLimit-", "ServerlessDatabaseCapacity", "ThrottledCmds",
    "_reindex", "script_score", "xn--",
}  # fmt: skip
"""Names of AWS, OpenSearch, RFCs and an emulator, which pages speak of and no line of ours."""

NOT_FOR_DEPLOYMENTS = {"environment", "database_endpoint", "fetch_loopback", "bundle_wheels"}


@pytest.fixture(scope="module")
def words():
    """Every word of the sources, also as a construct's id is made of it."""
    files = [ROOT / "Makefile", ROOT / "cdk.json", ROOT / "docs" / "operations.md"]
    for folder in ("shared", "functions", "infra_cdk", "localstack", "tests"):
        files += [path for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
    found = {word for file in files for word in re.findall(r"[A-Za-z_][\w-]*", file.read_text(encoding="utf-8"))}
    return found | {"".join(part.capitalize() for part in word.split("_")) for word in found}


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request):
    return request.param


def is_name(word):
    """Tell names (snake_case, kebab-case, CONSTANT, TwoWords) from plain words."""
    return "_" in word or "-" in word or word.isupper() or re.match(r"[A-Z][a-z]+[A-Z]", word)


def is_served(method, path):
    """Answer whether a route takes that; what stands in `{}`, or behind `$`, is any segment, and `…` any beginning."""
    given = path.strip("/").split("/")
    for declared_method, declared in ROUTES:
        segments = declared.strip("/").split("/")
        if given[0] == "…":
            segments = ["…", *segments[len(segments) - len(given) + 1 :]]
        fits = len(segments) == len(given) and all(
            one == other or one.startswith("{") for one, other in zip(segments, given, strict=True)
        )
        if fits and method in {None, declared_method}:
            return True
    return False


def test_names_stand_in_the_sources(page, words):
    named = {
        word
        for code in re.findall(r"`([^`\n/ ]+)`", page.read_text(encoding="utf-8"))
        for word in re.findall(r"[A-Za-z_][\w-]*", code)
        if is_name(word) and not word.startswith("tessera-")
    }

    assert sorted(named - words - FOREIGN) == []


def test_files_and_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    folders = "shared|functions|infra_cdk|localstack|tests|docs|events|requirements"
    files = {
        f"{start}{one}{end}"
        for start, choice, end in re.findall(rf"`((?:{folders})/[\w./-]*)(?:\{{([\w,]+)\}})?([\w./*-]*)", text)
        for one in choice.split(",")
    }
    links = {link.split("#")[0] for link in re.findall(r"\]\(([^):]+)\)", text)} - {""}

    assert sorted(file for file in files if not list(ROOT.glob(file))) == []
    assert sorted(link for link in links if not (page.parent / link).exists()) == []


def test_modules_can_be_run(page):
    named = re.findall(r"python -m ((?:shared|infra_cdk|tests|localstack)[\w.]*)(?: ([a-z_]+))?", page.read_text())

    lost = [module for module, _ in named if not list(ROOT.glob(f"{module.replace('.', '/')}*"))]
    assert lost == []
    assert [part for module, part in named if module == "tests.benchmarks" and part and part not in NAMES] == []


def test_routes_are_served(page):
    text = page.read_text(encoding="utf-8")
    named = {
        *re.findall(r"\b(GET|POST|PUT|PATCH|DELETE) ((?:/|…/)[^\s`\"'?),;:]+)", text),
        *((None, path) for path in re.findall(r"(?:\$API|\$\(make address\))(/[^\s\"'?]+)", text)),
    }

    assert sorted(map(str, (one for one in named if not is_served(*one)))) == []


def test_functions_tables_and_secrets_are_deployed(page):
    named = set(re.findall(r"tessera-(?:prod|dev|local|<environment>)-([\w-]+)", page.read_text(encoding="utf-8")))

    assert sorted(named - DEPLOYED) == []


def test_settings_are_those_that_a_deployment_takes():
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\| setting \|.*?\n\n", text, re.DOTALL)
    told = {name for row in re.findall(r"^\| (`[^|]+)", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}

    assert told == set(Settings.model_fields) - NOT_FOR_DEPLOYMENTS
