from __future__ import annotations

import pytest

from bot.errors import ConfigurationError
from bot.settings import AoSettings, Settings, WebSettings
from bot.web.headers import content_security_policy, security_headers


def _settings(public_url: str | None = None, **ao: object) -> Settings:
    return Settings(web=WebSettings(public_url=public_url), ao=AoSettings.model_validate(ao))


def test_the_policy_names_the_ao_hosts_and_nothing_else() -> None:
    settings = _settings(
        mu_url="https://mu.example/",
        cu_url="https://CU.example:8443/cu",
        allowed_hosts=("https://*.example", "su.example"),
    )
    assert content_security_policy(settings) == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' https://mu.example https://cu.example:8443 https://*.example https://su.example; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize(
    "host",
    ["https://a.example; script-src *", "https://a b", "*", "javascript:alert(1)", "https://", "'unsafe-inline'"],
)
def test_a_host_that_would_open_the_policy_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address like https://host"):
        content_security_policy(_settings(allowed_hosts=(host,)))


def test_https_for_a_year_only_where_the_public_address_is_https() -> None:
    assert "Strict-Transport-Security" in security_headers(_settings("https://patchbell.example"))
    assert "Strict-Transport-Security" not in security_headers(_settings("http://127.0.0.1:8080"))
    assert "Strict-Transport-Security" not in security_headers(_settings())
