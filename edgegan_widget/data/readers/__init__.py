"""One file a kind of source: where photos and masks are, in what layout."""
