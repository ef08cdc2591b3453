"""The jail: bytes in, clean bytes and findings out.

Everything below this package runs inside a disposable, locked process that knows nobody above it. The road may import
`sanitizers.model` (with `sanitizers.findings`) and `sanitizers.wire`, and nothing else of this package.
"""
