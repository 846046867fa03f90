"""The domain: plain synchronous functions over a transaction, which authorize; routes authenticate."""
