"""Write the generated pages and the OpenAPI file into `docs/`: `python -m shared.composition.write_docs`."""

import importlib
import pkgutil
from pathlib import Path

from fastapi import Request

from shared.composition.app import build_whole_app
from shared.composition.settings import Settings
from shared.identity.caller import Caller
from shared.operations.openapi import export_openapi
from shared.operations.reference import operations_page, permissions_page
from shared.operations.registry import all_operations


def generated_pages() -> dict[str, str]:
    """Return every generated file's name and text."""
    operations = all_operations()
    _import_domains()
    return {
        "operations.md": operations_page(operations),
        "permissions.md": permissions_page(operations),
        "openapi.json": export_openapi(build_whole_app(Settings({}), _nobody), operations),
    }


def _import_domains() -> None:
    """Make every domain's errors known, since docstrings name them without importing them."""
    for domain in ("answers", "documents", "identity", "kernel", "knowledge", "limits", "retrieval", "tenancy"):
        package = importlib.import_module(f"shared.{domain}")
        for found in pkgutil.walk_packages(package.__path__, f"shared.{domain}."):
            importlib.import_module(found.name)


async def _nobody(_: Request) -> Caller | None:
    return None


def main() -> None:
    folder = Path(__file__).resolve().parents[2] / "docs"
    for name, text in generated_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
