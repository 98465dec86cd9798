"""What callers may ask of knowledge bases and documents. Unknown fields are refused: none can name a tenant."""

from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, StringConstraints

from shared.kernel.bodies import Label, Request, named, one_line
from shared.kernel.ids import WorkspaceId
from shared.knowledge.config import ConfigChange
from shared.knowledge.keys import MAX_NAME_LENGTH
from shared.knowledge.knowledge_bases import KnowledgeBaseChange

MAX_DOCUMENT_LIMIT: Final = 100_000
MAX_URL_LENGTH: Final = 2048
MAX_NAME_BYTES: Final = 512
"""A name becomes part of an object key, which holds 1,024 bytes in all."""


def _file_name(text: str) -> str:
    name = one_line(text)
    if "/" in name or "\\" in name or name in {".", ".."}:
        raise ValueError("is a file name without folders")
    if len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise ValueError(f"has at most {MAX_NAME_BYTES} bytes in UTF-8")
    if "${" in name:
        # S3 fills in `${filename}` when it takes a form, and its key would no longer be the promised one.
        raise ValueError("has no ${ in it")
    return name


FileName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_file_name),
    named(MAX_NAME_LENGTH),
]
NamePrefix = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH)]
Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
ContentType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,127}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CreateKnowledgeBaseRequest(Request):
    """A new knowledge base; all but its name has a default, each part of `config` for itself.

    Without a `document_limit` it may hold as many documents as the plan allows when it is created; without a
    `workspace_id` it belongs to the organisation's default workspace, or to the caller's only one.
    """

    name: Label
    description: Remark = ""
    config: ConfigChange = Field(default_factory=ConfigChange)
    document_limit: StrictInt | None = Field(None, ge=1, le=MAX_DOCUMENT_LIMIT)
    workspace_id: WorkspaceId | None = None
    shared_with_viewers: StrictBool = True


class UpdateKnowledgeBaseRequest(Request):
    """What to change; what is absent stays. Another chunking means that all documents are indexed anew."""

    name: Label | None = None
    description: Remark | None = None
    config: ConfigChange | None = None
    document_limit: StrictInt | None = Field(None, ge=1, le=MAX_DOCUMENT_LIMIT)
    workspace_id: WorkspaceId | None = None
    shared_with_viewers: StrictBool | None = None

    def to_change(self) -> KnowledgeBaseChange:
        return KnowledgeBaseChange(
            self.name,
            self.description,
            self.config,
            self.document_limit,
            self.workspace_id,
            self.shared_with_viewers,
        )


class CreateUploadRequest(Request):
    """A file about to be sent. With `sha256` (hex, of the whole file) a duplicate is refused before it is sent."""

    name: FileName
    content_type: ContentType | None = None
    size_bytes: StrictInt | None = Field(None, ge=1)
    sha256: Sha256 | None = None
    metadata: dict[str, StrictStr | StrictBool | StrictFloat] = Field(default_factory=dict, max_length=32)


class AddUrlSourceRequest(Request):
    """What stands at a web address. Without a `name`, the document is called like the last part of the address."""

    url: Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_URL_LENGTH)]
    name: FileName | None = None
    metadata: dict[str, StrictStr | StrictBool | StrictFloat] = Field(default_factory=dict, max_length=32)

    @property
    def file_name(self) -> str:
        return self.name or _name_in(self.url)


def _name_in(url: str) -> str:
    """Return the last part of an address's path as a file name; a page without one is called after its host."""
    try:
        parts = urlsplit(url)
        last = parts.path.rstrip("/").rpartition("/")[2]
        return _file_name(unquote(last)[:MAX_NAME_LENGTH]) if last else f"{parts.hostname or 'page'}.html"
    except ValueError:
        return "page"
