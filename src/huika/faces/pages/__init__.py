"""What every page shares: frame, two languages, figures, icons, who is looking, safety headers. No page of its own."""
