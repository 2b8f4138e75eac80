"""Objects cut out of photos: drawn ones, so that every machine can test."""
