"""Search of the public site: two characters, titles first, rare characters, by time."""

import pytest

from cms import snapshot
from supervision.models import SupervisionItem
from tests.cms.world import CANARY, item_of

pytestmark = pytest.mark.django_db
# GB 18030 beyond the common levels, and beyond the basic plane.
RARE = ("㙍", "䶮", "𠀋", "𬭚", "\U00020bb7")


def found(client, query: str, **more) -> list[str]:
    hits = client.get("/search/", {"q": query, **more}).context["hits"]
    return [hit.document.title for hit in hits]


def test_a_word_of_two_characters_finds_title_over_text(client, city, world, publish):
    other = item_of(city, world.document, "别的事项", requirement="与院士有关。").item
    SupervisionItem.objects.filter(pk=other.pk).update(position=0)
    publish(world.document)

    assert found(client, "院士") == ["建设十个院士工作站", "别的事项"]


@pytest.mark.parametrize("title", ["完善科技金融服务", "建设十个院士工作站", "强化组织领导"])
def test_an_exact_title_is_first(client, world, publish, title):
    publish(world.document)

    assert found(client, f" {title}\n")[0] == title


def test_every_exact_title_is_on_the_first_page_of_many(client, city, world, publish):
    for number in range(130):
        item_of(city, world.document, f"推进事项之{number}")
    publish(world.document)

    for number in (1, 13, 129):
        assert found(client, f"推进事项之{number}")[0] == f"推进事项之{number}"
    page = client.get("/search/", {"q": "推进"})
    assert len(page.context["hits"]) == 100 and page.context["total"] == 130
    assert "前100条" in page.content.decode()


@pytest.mark.parametrize("rare", RARE)
def test_rare_characters_are_found(client, city, world, publish, rare):
    item_of(city, world.document, f"治理{rare}河")
    publish(world.document)

    for query in (rare, f"{rare}河", f"治理{rare}河"):
        assert found(client, query) == [f"治理{rare}河"]


def test_full_width_case_and_words_are_folded(client, city, world, publish):
    item_of(city, world.document, "建设R＆D平台２０个")
    publish(world.document)

    for query in ("r&d平台20", "Ｒ＆Ｄ", "20个 r&d", "２０"):
        assert found(client, query) == ["建设R＆D平台２０个"], query


def test_hits_say_what_they_are_and_can_be_put_in_time(client, world, publish):
    publish(world.document)
    page = client.get("/search/", {"q": "局", "sort": "time"})

    assert "事项" in page.content.decode()
    days = [hit.document.day for hit in page.context["hits"]]
    assert len(days) >= 4 and days == sorted(days, reverse=True)


@pytest.mark.parametrize(
    "query", [{"q": "院" * 201}, {"q": "院", "sort": "size"}, {"q": "院", "page": "2"}]
)
def test_bad_parameters_are_404(client, world, publish, query):
    publish(world.document)

    assert client.get("/search/", query).status_code == 404


def test_a_word_given_twice_is_404(client, world, publish):
    publish(world.document)

    assert client.get("/search/?q=a&q=b").status_code == 404


@pytest.mark.parametrize(
    "query", [CANARY, CANARY[:2], "未采纳", "经办人", "%", "_", "'\"", "a" * 200]
)
def test_nothing_hidden_and_nothing_odd_is_found(client, world, publish, query):
    publish(world.document)

    answer = client.get("/search/", {"q": query})
    assert answer.status_code == 200
    assert answer.context["hits"] == []


def test_the_index_agrees_with_looking_at_everything(client, world, publish):
    publish(world.document)
    index = snapshot.current().index
    words = {d.keys[place][i : i + n] for d in index.documents for place in (0, 1)
             for n in (1, 2, 3) for i in range(0, len(d.keys[place]), 7)}  # fmt: skip

    for word in sorted(w for w in words if w.strip() and not w.isspace() and " " not in w):
        seen = {id(hit.document) for hit in index.find(word)}
        plain = {id(d) for d in index.documents if word in d.keys[0] or word in d.keys[1]}
        assert seen == plain, word
