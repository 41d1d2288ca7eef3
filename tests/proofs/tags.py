"""Every public address crawled: the tags of its kind, formats, exactly once, a name of its own."""

from urllib.parse import urlsplit

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import site


def prove(*, seed: int, scale: Scale) -> Outcome:
    from cms import tags

    answers = site().crawl(most_filters=5 if scale is Scale.QUICK else 10_000)
    pages = {
        path: answer.text
        for path, answer in answers.items()
        if answer.is_page and answer.status == 200 and not path.startswith(("/desk", "/fragment"))
    }
    problems = [
        f"{path}: {fault}"
        for path, text in pages.items()
        for fault in tags.faults(urlsplit(path).path, text)
    ]
    plain = {path: text for path, text in pages.items() if "?" not in path}
    problems += tags.shared_titles(plain)
    articles = sum(3 in tags.levels_of(path) for path in plain)
    if articles < 20:
        problems.append(f"only {articles} articles were found")
    figures = {"addresses": len(answers), "pages": len(pages), "articles": articles}
    return Outcome(not problems, figures | {"faults": len(problems)}, problems)
