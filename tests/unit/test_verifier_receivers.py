"""What is asked of an object, whatever it is called."""

import ast

import pytest

from harness.verifier.receivers import asked, called, port, receivers, storage

SHOP = """
class Shop:
    {declared}

    def sell(self, {given}):
        {before}
        {asking}.sold(self.clock.now)
"""


def shop(declared: str = "x = 1", given: str = "to", before: str = "pass", asking: str = "") -> str:
    return SHOP.format(declared=declared, given=given, before=before, asking=asking)


@pytest.mark.parametrize(
    "text",
    [
        shop(asking="self.store"),
        shop(declared="goods: ShopStore", asking="self.goods"),
        shop(declared="goods: 'ShopStore | None' = None", asking="self.goods"),
        shop(given="goods: stores.ShopStore", asking="goods"),
        shop(given="goods: ShopStore", before="self._goods = goods", asking="self._goods"),
        shop(before="goods = shelf = self.store", asking="shelf"),
        shop(before="goods = self.store; shelf = goods", asking="shelf"),
        shop(before="till, shelf = self.till, self.store", asking="shelf"),
    ],
)
def test_what_is_declared_or_given_stands_for_the_object(text: str) -> None:
    module = ast.parse(text)
    assert asked(module, receivers([module], r"\w*Store", "store")) == {"sold"}


@pytest.mark.parametrize(
    "text",
    [
        shop(asking="self.restore"),
        shop(declared="goods: StoredGoods", asking="self.goods"),
        shop(before="goods = Goods(self.store)", asking="goods"),
        shop(before="goods, shelf = self.till, self.store", asking="goods"),
    ],
)
def test_nothing_else_does(text: str) -> None:
    module = ast.parse(text)
    assert not asked(module, receivers([module], r"\w*Store", "store"))


@pytest.mark.parametrize("given", ["to: Tariff", "tariff", "_tariff", "rates: 'Tariff'"])
def test_what_another_context_offers_is_known_by_its_class_and_by_its_usual_names(
    given: str,
) -> None:
    name = given.partition(":")[0]
    module = ast.parse(shop(given=given, asking=name))
    assert asked(module, port([module], "Tariff")) == {"sold"}


def test_storage_is_known_by_its_class_and_by_its_usual_names() -> None:
    module = ast.parse(shop(declared="goods: ShopStore", asking="self.goods"))
    assert storage([module]) == {"goods", "store", "_store"}


def test_what_is_called_is_less_than_what_is_asked() -> None:
    module = ast.parse("store.sold(store.clock, goods.left())")
    names = storage([module])
    assert (called(module, names), asked(module, names)) == ({"sold"}, {"sold", "clock"})
