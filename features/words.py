"""What a marketer would call a feature, in English and Korean."""

from __future__ import annotations

from features.errors import DeclarationError
from features.feature import (
    Aggregate,
    Arithmetic,
    AtLeast,
    Condition,
    ContextRef,
    DaysSince,
    DaysUntil,
    Feature,
)
from features.window import Window

LANGUAGES = ("en", "ko")

# One, several, Korean. A kind or column that is not here is called by its own name.
_NOUNS = {
    "order": ("order", "orders", "주문"),
    "order_line": ("item bought", "items bought", "구매 품목"),
    "contact": ("campaign received", "campaigns received", "받은 캠페인"),
    "redemption": ("coupon redeemed", "coupons redeemed", "사용한 쿠폰"),
    "impression": ("advertisement seen", "advertisements seen", "본 광고"),
    "return": ("return", "returns", "반품"),
    "ticket": ("support ticket", "support tickets", "문의"),
    "survey": ("survey answer", "survey answers", "설문 응답"),
    "visit": ("visit", "visits", "방문"),
    "email": ("e-mail", "e-mails", "이메일"),
    "open": ("e-mail opened", "e-mails opened", "열어 본 이메일"),
    "click": ("e-mail clicked", "e-mails clicked", "클릭한 이메일"),
    "opportunity": ("sales opportunity", "sales opportunities", "영업 기회"),
}
_COLUMNS = {
    "amount": ("amount", "금액"),
    "quantity": ("number of items", "품목 수"),
    "category": ("categories", "카테고리"),
    "store": ("stores", "매장"),
    "discount": ("discount", "할인액"),
    "coupon_discount": ("coupon discount", "쿠폰 할인액"),
    "campaign_id": ("campaigns", "캠페인"),
    "brand": ("brands", "브랜드"),
    "channel": ("channels", "채널"),
    "hour_of_week": ("hours of the week", "요일·시간"),
    "daypart": ("parts of the day", "시간대"),
}
# What a column means where it means something else for one kind of event.
_OF_KIND = {
    ("survey", "quantity"): ("score", "점수"),
    ("visit", "quantity"): ("pages seen", "본 페이지 수"),
    ("contact", "category"): ("types of campaign", "캠페인 유형"),
}
_PLAIN = {
    "age": ("age", "나이"),
    "income": ("income", "소득"),
    "home_ownership": ("home ownership", "주택 소유"),
    "marital_status": ("marital status", "혼인 상태"),
    "household_size": ("household size", "가구원 수"),
    "household_comp": ("kind of household", "가구 형태"),
    "kids_count": ("number of children", "자녀 수"),
    "campaign_type": ("type of the campaign", "캠페인 유형"),
    "campaign_ends_at": ("the end of the campaign", "캠페인 종료"),
    "placement": ("placement", "광고 위치"),
    "category": ("category", "카테고리"),
    "store": ("store", "매장"),
}
_DAYPARTS = {
    "weekday_night": ("on working days at night", "평일 밤"),
    "weekday_morning": ("on working days in the morning", "평일 오전"),
    "weekday_afternoon": ("on working days in the afternoon", "평일 오후"),
    "weekday_evening": ("on working days in the evening", "평일 저녁"),
    "weekend_night": ("at weekends at night", "주말 밤"),
    "weekend_morning": ("at weekends in the morning", "주말 오전"),
    "weekend_afternoon": ("at weekends in the afternoon", "주말 오후"),
    "weekend_evening": ("at weekends in the evening", "주말 저녁"),
}
_UNITS_KO = {"d": "일", "h": "시간", "m": "분", "s": "초", "w": "주"}
_UNITS_EN = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "w": "weeks"}
_SAME = {
    "category": ("in this category", "이 카테고리"),
    "store": ("in this store", "이 매장"),
    "campaign_id": ("of this campaign", "이 캠페인"),
}


def describe(feature: Feature, language: str) -> str:
    """Return a feature's words.

    Raises
    ------
    DeclarationError
        The language is neither ``en`` nor ``ko``.

    Examples
    --------
    >>> from features.declare import events
    >>> orders = events("order")
    >>> describe(orders.sum("amount", last="90d", unit="currency"), "en")
    'total amount of orders in the last 90 days'
    >>> describe(orders.days_since_last(), "ko")
    '마지막 주문 이후 일수'
    """
    if language not in LANGUAGES:
        raise DeclarationError(
            f"There are no words in {language!r}.", remedy=f"Choose {' or '.join(LANGUAGES)}."
        )
    korean = language == "ko"
    if isinstance(feature, Aggregate):
        return _aggregate_ko(feature) if korean else _aggregate_en(feature)
    if isinstance(feature, Condition):
        events = describe(feature.count, language)
        if korean:
            return f"{events} {'있음' if feature.wanted else '없음'}"
        return f"any {events}" if feature.wanted else f"no {events}"
    if isinstance(feature, DaysSince | DaysUntil | AtLeast | Arithmetic):
        return _made(feature, language)
    return _PLAIN.get(feature.name, (feature.name.replace("_", " "),) * 2)[korean]


def _made(feature: DaysSince | DaysUntil | AtLeast | Arithmetic, language: str) -> str:
    if isinstance(feature, Arithmetic):
        return _arithmetic(feature, language)
    part = describe(feature.parts[0], language)
    if isinstance(feature, DaysSince):
        return f"{part} 이후 일수" if language == "ko" else f"days since {part}"
    if isinstance(feature, DaysUntil):
        return f"{part}까지 남은 일수" if language == "ko" else f"days until {part}"
    bound = f"{feature.bound:g}"
    return f"{part}(최소 {bound})" if language == "ko" else f"{part} (at least {bound})"


def _arithmetic(feature: Arithmetic, language: str) -> str:
    left, right = describe(feature.left, language), describe(feature.right, language)
    if language == "ko":
        joint = {"per": "대비", "minus": "빼기", "plus": "더하기", "times": "곱하기"}
        if feature.operation == "per":
            return f"{right} {joint['per']} {left}"
        return f"{left} {joint[feature.operation]} {right}"
    joint = {"per": "relative to", "minus": "less", "plus": "plus", "times": "times"}
    return f"{left} {joint[feature.operation]} {right}"


def _aggregate_en(feature: Aggregate) -> str:
    one, many, _ = _NOUNS.get(feature.kind, (feature.kind.replace("_", " "),) * 3)
    column = _column(feature)[0]
    same = "".join(f" {_filter(name, value)[0]}" for name, value in feature.filters)
    text = {
        "count": f"{many}{same}",
        "sum": f"total {column} of {many}{same}",
        "mean": f"mean {column} of {many}{same}",
        "min": f"smallest {column} of {many}{same}",
        "max": f"largest {column} of {many}{same}",
        "first": f"{column} of the first {one}{same}",
        "last": f"{column} of the last {one}{same}",
        "distinct": f"different {column} among {many}{same}",
        "most_common": f"most frequent of the {column} among {many}{same}",
        "days_since_first": f"days since the first {one}{same}",
        "days_since_last": f"days since the last {one}{same}",
        "gap_mean": f"mean days between {many}{same}",
        "gap_std": f"spread of the days between {many}{same}",
        "last_gap": f"days between the last two {many}{same}",
        "std": f"spread of the {column} of {many}{same}",
        "decayed_count": f"{many}{same}, recent ones counting more",
        "decayed_sum": f"total {column} of {many}{same}, recent ones counting more",
    }[feature.fold]
    return text + _window_en(feature.window)


def _aggregate_ko(feature: Aggregate) -> str:
    noun = _NOUNS.get(feature.kind, (feature.kind,) * 3)[2]
    column = _column(feature)[1]
    same = "".join(f"{_filter(name, value)[1]} " for name, value in feature.filters)
    noun = f"{_window_ko(feature.window)}{same}{noun}"
    return {
        "count": f"{noun} 수",
        "sum": f"{noun} {column} 합계",
        "mean": f"{noun} {column} 평균",
        "min": f"{noun} {column} 최솟값",
        "max": f"{noun} {column} 최댓값",
        "first": f"첫 {noun} {column}",
        "last": f"마지막 {noun} {column}",
        "distinct": f"{noun}의 서로 다른 {column} 수",
        "most_common": f"{noun}에서 가장 잦은 {column}",
        "days_since_first": f"첫 {noun} 이후 일수",
        "days_since_last": f"마지막 {noun} 이후 일수",
        "gap_mean": f"{noun} 사이 평균 일수",
        "gap_std": f"{noun} 간격의 편차",
        "last_gap": f"마지막 두 {noun} 사이 일수",
        "std": f"{noun} {column} 편차",
        "decayed_count": f"{noun} 수(최근일수록 크게 반영)",
        "decayed_sum": f"{noun} {column} 합계(최근일수록 크게 반영)",
    }[feature.fold]


def _column(feature: Aggregate) -> tuple[str, str]:
    name = str(feature.column)
    return _OF_KIND.get((feature.kind, name)) or _COLUMNS.get(name, (name.replace("_", " "), name))


def _filter(name: str, value: str | ContextRef) -> tuple[str, str]:
    if name == "daypart" and value in _DAYPARTS:
        return _DAYPARTS[str(value)]
    if not isinstance(value, ContextRef):
        return f"with {name} {value}", f"{value}"
    if value.name == "campaign.type":
        return "of this type of campaign", "이 유형 캠페인"
    return _SAME.get(name, (f"of the same {name}", f"같은 {name}"))


def _window_en(window: Window) -> str:
    if window.last:
        return f" in the last {int(window.last[:-1])} {_UNITS_EN[window.last[-1]]}"
    if window.next:
        return f" in the next {int(window.next[:-1])} {_UNITS_EN[window.next[-1]]}"
    return " until the end of the campaign" if window.until else ""


def _window_ko(window: Window) -> str:
    if window.last:
        return f"최근 {int(window.last[:-1])}{_UNITS_KO[window.last[-1]]} "
    if window.next:
        return f"앞으로 {int(window.next[:-1])}{_UNITS_KO[window.next[-1]]} "
    return "캠페인 종료까지 " if window.until else ""
