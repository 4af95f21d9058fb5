"""What an operator sees and does: how the members stand, held runs, quarantine, incidents, the audit log.

English only, behind a sign-in. A viewer looks, an operator acts; each action is one POST with the form's token, is
audited before and after, and ends in a redirect.
"""

from landbridge.portal.operate.pages import note_backup, routes

__all__ = ["note_backup", "routes"]
