"""STS: sessions, who may have one, and the trust policies that decide it."""
