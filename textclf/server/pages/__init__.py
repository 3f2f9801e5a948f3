"""The web pages: the promoted version, the versions, one of them, two compared, and the history.

Each page is built from values that its URL with ``.json`` returns, and all of its state is in the
URL. There is no script, and nothing is loaded from elsewhere.
"""
