"""What every process that is forked to die needs first, loaded once by the process that forks them.

Reading the descriptions of the services takes a process a sixth of a second.
"""

from typing import Any

import tests.audit.dying  # noqa: F401 - loaded, so that nobody has to
from shared.adapters.aws.sdk_sessions import new_sdk_session

_MADE_UP: Any = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}

for _service in ("dynamodb", "s3", "sqs", "sts"):
    new_sdk_session().client(_service, **_MADE_UP)
