"""What passers-by see: kinds of platform, prices, the standard of a visit, the log."""
