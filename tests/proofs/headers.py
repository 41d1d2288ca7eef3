"""Every kind of answer carries the strict headers; the public ones set no cookie."""

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import site

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
}
DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
MORE = ("/?unknown=1", "/progress/0123456789/", "/about", "/elder/", "/contrast/elder/30/progress/")
DESK = ("/desk/", "/desk/sign-in/", "/healthz")


def prove(*, seed: int, scale: Scale) -> Outcome:
    served, problems, statuses = site(), [], {}
    answers = served.crawl(most_filters=5)
    for path in (*MORE, *DESK):
        answers[path] = served.get(path)
    answers["304"] = served.get("/", If_None_Match=answers["/"].headers["etag"])
    for path, answer in answers.items():
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        headers = answer.headers
        policy = headers.get("content-security-policy", "")
        if not path.startswith("/static/"):
            problems += [f"{path}: no {rule}" for rule in DIRECTIVES if rule not in policy]
            for name, value in EVERYWHERE.items():
                if headers.get(name) != value:
                    problems.append(f"{path}: {name} is {headers.get(name)}")
        if "unsafe" in policy:
            problems.append(f"{path}: unsafe")
        is_public = not path.startswith(DESK)
        if is_public and ("set-cookie" in headers or "cookie" in headers.get("vary", "").lower()):
            problems.append(f"{path}: a cookie")
        caching = headers.get("cache-control", "")
        if is_public and not path.startswith("/static/"):
            if answer.status in (200, 304) and caching != "public, max-age=60":
                problems.append(f"{path}: cache-control {caching}")
            if answer.status == 200 and "etag" not in headers:
                problems.append(f"{path}: no etag")
            if answer.status >= 400 and caching != "no-store":
                problems.append(f"{path}: {answer.status} may be stored")
    if not {200, 304, 404} <= set(statuses):
        problems.append(f"kinds of answers met: {statuses}")
    return Outcome(not problems, {"answers": len(answers), "by status": statuses}, problems)
