"""Headers on every answer; the workbench and the public site run without inline script or style."""

STRICT = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# Wagtail's and Django's admin carry inline style and script of their own.
ADMIN = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; font-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'self'; frame-src 'self'; frame-ancestors 'self'"
)
PERMISSIONS = "camera=(), geolocation=(), microphone=()"


class SecurityHeadersMiddleware:
    """Content-Security-Policy by area, and `no-store` on everything behind the sign-in."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        is_admin = request.path.startswith(("/cms/", "/admin/"))
        response.headers.setdefault("Content-Security-Policy", ADMIN if is_admin else STRICT)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if is_admin:
            # The editor's preview is a frame of the same site.
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        if is_admin or request.path.startswith("/desk/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
