"""Try a chunking strategy on a sample (K1, K4)."""

from base64 import b64decode
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.composition.services import Services
from shared.documents.chunking.config import ChunkingConfig
from shared.documents.previews import MAX_SAMPLE_BYTES, Preview
from shared.identity.permissions import Permission
from shared.kernel.bodies import Request
from shared.knowledge.requests import FileName
from shared.operations.capabilities import PARSER, TOKENIZER
from shared.operations.declaration import RateClass, operation

Base64 = Annotated[
    str,
    StringConstraints(min_length=4, pattern=r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"),
]
"""Exactly that: a decoder that passes over what is no base64 would preview something else than was sent."""


class PreviewRequest(Request):
    """A sample: `text` for something typed, `content` (base64) for any format; the name tells text formats apart."""

    name: FileName = "sample.txt"
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_SAMPLE_BYTES)] | None = None
    content: Base64 | None = None
    chunking: ChunkingConfig = Field(default_factory=ChunkingConfig)

    @model_validator(mode="after")
    def _one_sample(self) -> Self:
        if (self.text is None) == (self.content is None):
            raise ValueError("send either text or content")
        if len(self.sample) > MAX_SAMPLE_BYTES:
            raise ValueError(f"send at most {MAX_SAMPLE_BYTES} bytes")
        return self

    @property
    def sample(self) -> bytes:
        return b64decode(self.content) if self.content is not None else (self.text or "").encode(errors="replace")


@operation(
    "POST /chunk-previews",
    permission=Permission.KNOWLEDGE_BASE_WRITE,
    rate_class=RateClass.WRITE,
    uses=[PARSER, TOKENIZER],
    memory_mb=2048,
    timeout_s=29,
)
async def preview_chunks(request: PreviewRequest, services: Services) -> Preview:
    """Show how a strategy would cut a sample document of up to 1 MB. Nothing is stored.

    Raises: RejectedDocumentError.
    """
    return await services.previews.preview(request.name, request.sample, request.chunking)
