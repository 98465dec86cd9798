"""end_all_sessions."""

from tests.api.tenants import problem_of


async def test_all_sessions_in_this_organisation_end_and_no_others(ada, acme, globex):
    ada.joins(acme.id).joins(globex.id)
    here = [await ada.session(tenant=acme.id) for _ in range(3)]
    elsewhere = await ada.session(tenant=globex.id)

    answers = [await ada.post("/sessions/end-all", access_token=here[0]["access_token"]) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    for tokens in here:
        assert problem_of(await ada.refresh(tokens["refresh_token"])) == (401, "invalid-refresh-token")
    assert (await ada.refresh(elsewhere["refresh_token"])).status_code == 200


async def test_sessions_of_others_go_on(ada, acme, new_person_of):
    ada.joins(acme.id)
    bob = new_person_of().joins(acme.id)
    tokens, bobs = await ada.session(), await bob.session()

    await ada.post("/sessions/end-all", access_token=tokens["access_token"])

    assert (await bob.refresh(bobs["refresh_token"])).status_code == 200


async def test_nobody_ends_nothing(ada):
    assert problem_of(await ada.post("/sessions/end-all")) == (401, "unauthenticated")
