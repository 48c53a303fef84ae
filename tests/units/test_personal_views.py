"""One's own settings: shortcuts, the address, the daily mail."""

from units.models import User

PAGE, KEYS = "/tai-khoan/", "/tai-khoan/phim-tat/"


def test_shortcuts_are_switched_off_and_on_from_any_page(client, world):
    client.force_login(world.secretary)

    def uses_keys():
        return User.objects.get(pk=world.secretary.pk).uses_keys

    response = client.post(KEYS, {"bat": "0", "next": "/duyet/?xem=qua-5-ngay"})
    assert (response["Location"], uses_keys()) == ("/duyet/?xem=qua-5-ngay", False)
    assert client.post(KEYS, {"bat": "1"}, headers={"HX-Request": "true"}).status_code == 204
    assert uses_keys()
    assert client.post(KEYS, {"bat": "0", "next": "https://example.org/"})["Location"] == PAGE
    for bad in ({}, {"bat": "x"}, {"bat": "\0"}):
        assert client.post(KEYS, bad)["Location"] == PAGE
    assert not uses_keys()
    assert User.objects.get(pk=world.stranger.pk).uses_keys
    assert client.get(KEYS).status_code == 405


def test_the_daily_mail_needs_an_address_and_a_server_that_sends(client, world, settings):
    client.force_login(world.cadre)
    assert "chưa bật gửi thư" in client.get(PAGE).content.decode()
    settings.MAIL_IS_ON = True

    def said():
        return User.objects.values_list("email", "wants_mail").get(pk=world.cadre.pk)

    for bad in ({"wants_mail": "on"}, {"email": "không phải", "wants_mail": "on"}, {"email": "a@b.vn\r\nBcc: c@d.vn"}):
        assert (client.post(PAGE, bad).status_code, said()) == (422, ("", False))
    assert client.post(PAGE, {"email": "can.bo@example.vn", "wants_mail": "on"})["Location"] == PAGE
    assert said() == ("can.bo@example.vn", True)
    client.post(PAGE, {"email": "", "is_superuser": "on", "full_name": "Người khác"})
    assert said() == ("", False)
    assert User.objects.filter(pk=world.cadre.pk, full_name=world.cadre.full_name, is_superuser=False).exists()
