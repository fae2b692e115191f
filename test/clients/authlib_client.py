"""
A client that is not JavaScript: Authlib's OAuth 2 session with its JOSE, and a browser of the standard library's HTML
parser that follows redirects and fills in forms. It signs a user on and prints what it came to as one JSON object.
What it has to know comes as JSON on standard input.
"""

import json
import sys
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
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


def main():
    given = json.load(sys.stdin)
    redirect_uri = given["redirectUri"]
    metadata = requests.get(given["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
    keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    client = OAuth2Session(
        given["clientId"],
        given["clientSecret"],
        scope=given["scope"],
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )

    address, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=given["codeVerifier"], nonce=given["nonce"]
    )
    browser = requests.Session()
    landed, page = follow(browser, browser.get(address, allow_redirects=False), redirect_uri)
    if not landed:
        landed, page = submit(
            browser, page, redirect_uri, username=given["username"], password=given["password"]
        )

    if not landed:
        sys.exit(f"the sign-on did not come back: {page.url} {page.text[:2000]}")
    token = client.fetch_token(
        metadata["token_endpoint"],
        authorization_response=landed,
        state=state,
        code_verifier=given["codeVerifier"],
    )
    claims = jwt.decode(
        token["id_token"],
        keys,
        claims_cls=CodeIDToken,
        claims_options={"iss": {"value": metadata["issuer"]}, "aud": {"value": given["clientId"]}},
        claims_params={"nonce": given["nonce"], "client_id": given["clientId"], "access_token": token["access_token"]},
    )
    claims.validate()
    userinfo = client.get(metadata["userinfo_endpoint"]).json()
    print(json.dumps({"claims": dict(claims), "userinfo": userinfo, "scope": token["scope"]}))


main()
