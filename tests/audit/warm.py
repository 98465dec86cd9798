"""What every process that is forked to die needs first, loaded once by the process that forks them.

Each function has a session of its own, and each session reads the descriptions of the services anew: half a second.
"""

from functools import cache
from typing import Any

import boto3
from botocore.loaders import JSONFileLoader

import tests.audit.dying  # noqa: F401 - loaded, so that nobody has to

_MADE_UP: Any = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}

_load = cache(JSONFileLoader().load_file)
_loader: Any = JSONFileLoader
_loader.load_file = lambda _, path: _load(path)

for _service in ("dynamodb", "s3", "sqs", "sts"):
    boto3.client(_service, **_MADE_UP)
