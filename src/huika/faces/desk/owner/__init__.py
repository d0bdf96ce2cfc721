"""The owner's pages: what a month brought, what was not served, who won, what a visit costs."""
