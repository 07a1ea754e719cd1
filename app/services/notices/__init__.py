"""Notices: the mails that follow from facts, sent after the commit that stated them, in text and HTML.

A fact may be acted on twice, when its worker dies between the mail server's yes and the mark that it is done.
The second mail has the first one's Message-ID (``key``), so that mail programs and servers can tell it.
"""
