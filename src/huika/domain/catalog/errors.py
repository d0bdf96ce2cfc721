"""What the catalogue refuses, by name.

A refusal says what did not happen, whose reason it is and what is possible instead; it never repeats a card number.
"""

from huika.kit.refusals import Malformed, NotFound, Refusal


class UnknownKind(NotFound):
    """No kind with this slug. Data: slug."""

    code = "unknown_kind"
    zh, en = (
        "还不认识这种卡。换个名字找找，或打电话问",
        "We do not know this kind of card. Try another name, or call us.",
    )


class UnknownIssuer(NotFound):
    """No issuer with this slug. Data: slug."""

    code = "unknown_issuer"
    zh, en = "没有找到这家发卡方", "No such issuer."


class UnknownReasonCode(NotFound):
    """Not one of the published reasons for a new quote. Data: reason."""

    code = "unknown_reason_code"
    zh, en = "公布的改价理由里没有这一条", "This is not one of the published reasons for a new quote."


class UnknownCity(NotFound):
    """The city is not served. Data: slug."""

    code = "unknown_city"
    zh, en = "这个城市还没开通上门", "Visits are not offered in this city yet."


class KindRefused(Refusal):
    """The kind is not bought at present. Data: name_zh, name_en, reason_zh, reason_en."""

    code = "kind_refused"
    zh = "{name_zh}暂时不收。{reason_zh}不是你的卡有问题。"
    en = "{name_en} is not bought at present. {reason_en} Nothing is wrong with your card."


class ForeignCurrency(Refusal):
    """The card is not in yuan. Data: name_zh, name_en, currency (ISO 4217)."""

    code = "foreign_currency"
    zh = "{name_zh}不收。它按 {currency} 计价，我们只收人民币卡。不是你的卡有问题。"
    en = "{name_en} is not bought: it is in {currency} and we buy cards in yuan only. Nothing is wrong with your card."


class FormNotOfKind(Refusal):
    """The kind does not exist as plastic, or not as a code. Data: name_zh, name_en, form."""

    code = "form_not_of_kind"
    zh, en = (
        "{name_zh}没有这种形式的卡。换一种形式再选",
        "{name_en} does not exist in this form. Choose the other form.",
    )


class MalformedFaceValue(Malformed):
    """A face value that is no amount of money above zero. Data: face_value_fen."""

    code = "malformed_face_value"
    zh, en = "面值没填对，要大于零", "The face value must be more than zero."


class FaceValueOverLegalLimit(Refusal):
    """No prepaid card may hold so much. Data: face_value_fen, limit_fen, face, limit (both as ¥5,000)."""

    code = "face_value_over_legal_limit"
    zh = "{face} 的卡不收。按规定，一张卡的面值最多 {limit}。看看是不是多填了一位"
    en = "A card of {face} is not bought: by law one card holds at most {limit}. Please check the figure."


class FaceValueNotOfKind(Refusal):
    """The kind is not sold in this amount. Data: name_zh, name_en, face_value_fen, face, values_zh, values_en."""

    code = "face_value_not_of_kind"
    zh = "{name_zh}没有 {face} 的面值。它有：{values_zh}"
    en = "{name_en} has no face value of {face}. It has: {values_en}."


class MalformedNumber(Malformed):
    """No card number at all, or not one of this kind, whose format is certain. Data: name_zh, name_en.

    Never raised for a kind without a known format, unless the text cannot be a number of any card.
    """

    code = "malformed_number"
    zh = "这不像{name_zh}的卡号，没有存下。再看一眼卡面，或换一种卡"
    en = "This does not look like a number of {name_en} and was not kept. Look again, or choose another kind."
