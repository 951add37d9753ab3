"""The HTML that nodes and things in front of them answer with where data was due. Shapes only, words of our own."""

from __future__ import annotations

EXPLORER = (
    b"<!DOCTYPE html>\n<html><head><title>Explorer</title></head><body>A page to click through a message.</body></html>"
)
NOT_FOUND = b"<html>\n  <head><title>404 - Page not found.</title></head><body>Nothing here.</body></html>"
OOPS = b"<html>\n  <head><title>500 - Oops.</title></head><body><pre>error: failure in compute</pre></body></html>"
LOGIN = b"<!DOCTYPE html>\n<html><head><title>Sign in to continue</title></head><body><form></form></body></html>"
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
