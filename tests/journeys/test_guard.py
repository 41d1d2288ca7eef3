"""The guard of the stories itself: what it must hear, it hears."""

import pytest

TROUBLES = {
    "too wide": "() => { const box = document.createElement('pre');"
    " box.textContent = 'x'.repeat(900); document.querySelector('main').append(box);"
    " document.querySelector('main').className = ''; document.body.className = ''; }",
    "script:": "() => { setTimeout(() => { throw new Error('broken'); }, 0); }",
    "console: ": "() => { console.error('something'); }",
    "Content Security Policy": "() => { const style = document.createElement('style');"
    " style.textContent = 'main { color: red }'; document.head.append(style); }",
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_noticed(visit, trouble):
    visitor = visit()
    visitor.go("/")
    assert visitor.troubles == []

    visitor.page.evaluate(TROUBLES[trouble])
    visitor.page.wait_for_timeout(100)
    visitor.look()

    assert [found for found in visitor.troubles if trouble in found]
    visitor.troubles.clear()
