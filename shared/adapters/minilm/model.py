"""Which weights are bundled; apart from the embedder, for those who only need to name them."""

from typing import Final

MODEL_ID: Final = "all-minilm-l6-v2.half"
DIMENSIONS: Final = 384
