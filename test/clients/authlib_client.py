"""
A client that is not JavaScript: Authlib's OAuth 2 session with its JOSE, and a browser of the standard library's HTML
parser that follows redirects and fills in forms. It signs a user on, refreshes, introspects, revokes and signs off, and
prints what it came to as one JSON object. What it has to know comes as JSON on standard input.
"""

import json
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from authlib.oidc.core import CodeIDToken


class Page(HTMLParser):
    """The forms of a page, with the values that their fields have, and where it goes on by itself."""

    def __init__(self, html):
        super().__init__()
        self.forms = []
        self.refresh = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "meta" and values.get("http-equiv") == "refresh":
            self.refresh = values["content"].split("url=", 1)[1]
        elif tag == "form":
            self.forms.append({"action": values.get("action", ""), "fields": {}})
        elif tag in ("input", "button") and self.forms and values.get("name"):
            self.forms[-1]["fields"].setdefault(values["name"], values.get("value") or "")


def follow(browser, answer, redirect_uri):
    """Follows redirects until a page that wants something, or the address of the application, which is not asked for."""
    while True:
        answer.raise_for_status()
        address = answer.headers.get("location") if answer.is_redirect else Page(answer.text).refresh
        if address is None:
            return None, answer
        address = urljoin(answer.url, address)
        if address.startswith(redirect_uri):
            return address, None
        answer = browser.get(address, allow_redirects=False)


def submit(browser, page, redirect_uri, **typed):
    """Fills in the first form that has all the fields, and sends it."""
    form = next(form for form in Page(page.text).forms if set(typed) <= set(form["fields"]))
    answer = browser.post(
        urljoin(page.url, form["action"]), data={**form["fields"], **typed}, allow_redirects=False
    )
    return follow(browser, answer, redirect_uri)


def session_of(given, scope=None):
    """The client, known by the method of its registration; assertions name the issuer as audience."""
    method = given["authMethod"]
    session = OAuth2Session(
        given["clientId"],
        given.get("privateKey") or given["clientSecret"],
        scope=scope,
        redirect_uri=given["redirectUri"],
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    if method == "client_secret_jwt":
        session.register_client_auth_method(ClientSecretJWT(given["issuer"]))
    if method == "private_key_jwt":
        session.register_client_auth_method(PrivateKeyJWT(given["issuer"], alg="ES256"))
    return session


def sign_on(given, metadata, browser, client):
    """By code and PKCE, on the hosted page."""
    verifier = generate_token(48)
    nonce = generate_token()
    address, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    landed, page = follow(browser, browser.get(address, allow_redirects=False), given["redirectUri"])
    if not landed:
        landed, page = submit(
            browser, page, given["redirectUri"], username=given["username"], password=given["password"]
        )
    if not landed:
        sys.exit(f"the sign-on did not come back: {page.url} {page.text[:2000]}")
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=landed, state=state, code_verifier=verifier
    )
    return token, claims_of(given, metadata, token, nonce)


def claims_of(given, metadata, token, nonce=None):
    """The claims of an ID token, when its signature and they are good."""
    claims = jwt.decode(
        token["id_token"],
        JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json()),
        claims_cls=CodeIDToken,
        claims_options={"iss": {"value": metadata["issuer"]}, "aud": {"value": given["clientId"]}},
        claims_params={"nonce": nonce, "client_id": given["clientId"], "access_token": token["access_token"]},
    )
    claims.validate()
    return dict(claims)


def error_of(call):
    """The OAuth error that a call of the library ends with."""
    try:
        call()
    except OAuthError as error:
        return error.error
    return None


def sign_off(given, metadata, browser, id_token):
    """RP-initiated logout, and where the browser came to."""
    query = urlencode(
        {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": given["postLogoutRedirectUri"],
            "state": "signed-off",
        }
    )
    answer = browser.get(f"{metadata['end_session_endpoint']}?{query}", allow_redirects=False)
    return follow(browser, answer, given["postLogoutRedirectUri"])[0]


def main():
    given = json.load(sys.stdin)
    metadata = requests.get(given["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
    browser = requests.Session()
    client = session_of(given, given["scope"])

    first, claims = sign_on(given, metadata, browser, client)
    userinfo = client.get(metadata["userinfo_endpoint"]).json()

    second = client.refresh_token(metadata["token_endpoint"])
    renewed = claims_of(given, metadata, second)
    refresh_token = second["refresh_token"]
    introspected = client.introspect_token(metadata["introspection_endpoint"], refresh_token, "refresh_token").json()

    revoked = client.revoke_token(metadata["revocation_endpoint"], refresh_token, "refresh_token")
    again = client.introspect_token(metadata["introspection_endpoint"], refresh_token, "refresh_token").json()
    refused = error_of(lambda: client.refresh_token(metadata["token_endpoint"], refresh_token))

    signed_off = sign_off(given, metadata, browser, first["id_token"])
    address, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=generate_token(48), prompt="none"
    )
    silent, _ = follow(browser, browser.get(address, allow_redirects=False), given["redirectUri"])
    quiet = parse_qs(urlsplit(silent).query)
    print(
        json.dumps(
            {
                "claims": claims,
                "scope": first["scope"],
                "userinfo": userinfo,
                "renewed": renewed,
                "isRotated": refresh_token != first["refresh_token"],
                "introspected": introspected,
                "revocation": [revoked.status_code, again, refused],
                "signedOff": signed_off,
                "quiet": [quiet["error"], quiet["state"] == [state]],
            }
        )
    )


main()
