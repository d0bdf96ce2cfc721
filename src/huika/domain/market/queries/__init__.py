"""Books, comparisons and their records, read-only."""

from huika.domain.market.queries.books import (
    book_change,
    book_in_effect,
    books_in_effect,
    live_books,
    platform_fees,
    price_rows,
)
from huika.domain.market.queries.comparisons import comparison, enough, firm_offer, preview
from huika.domain.market.queries.records import (
    book_receipt,
    books_left_out,
    check_record,
    quote_receipt,
    quotes_of,
    record_file,
    record_root,
)

__all__ = [
    "book_change",
    "book_in_effect",
    "book_receipt",
    "books_in_effect",
    "books_left_out",
    "check_record",
    "comparison",
    "enough",
    "firm_offer",
    "live_books",
    "platform_fees",
    "preview",
    "price_rows",
    "quote_receipt",
    "quotes_of",
    "record_file",
    "record_root",
]
