"""The demo's owner on the deployed local cloud: signed up once, remembered in files of this user, never locked out."""

import json

import pytest

from localstack import account
from localstack.api import Api
from localstack.failures import LocalCloudError
from shared.identity.permissions import Role

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("account")


@pytest.fixture(scope="module")
def first(local_cloud, folder):
    return account.sign_in(local_cloud.api_address, folder)


def changed(folder, **fields):
    file = folder / "session.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_owner_is_signed_up_and_remembered_for_this_user_only(local_cloud, folder, first):
    with Api(local_cloud.api_address, first.access_token) as api:
        assert api.call("GET", "/me")["role"] == Role.OWNER

    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_session_is_used_while_it_is_good(local_cloud, folder, first):
    assert account.session(local_cloud.api_address, folder) == first


def test_session_that_nears_its_end_is_refreshed(local_cloud, folder, first):
    changed(folder, good_until=0)

    after = account.session(local_cloud.api_address, folder)

    assert after.tenant == first.tenant
    assert after.refresh_token.split(".")[:2] == first.refresh_token.split(".")[:2]  # of the same family
    assert after.refresh_token != first.refresh_token


def test_session_that_cannot_be_refreshed_is_followed_by_a_new_one_of_the_same_organisation(local_cloud, folder, first):
    changed(folder, good_until=0, refresh_token="trt_nobody.nothing.never")

    after = account.session(local_cloud.api_address, folder)

    assert after.tenant == first.tenant
    with Api(local_cloud.api_address, after.access_token) as api:
        assert api.call("GET", "/tenant")["name"] == account.ORGANISATION


def test_lost_password_is_told_with_the_remedy(local_cloud, first, tmp_path):
    with pytest.raises(LocalCloudError) as lost:
        account.sign_in(local_cloud.api_address, tmp_path)

    assert "make clean run" in lost.value.remedy
