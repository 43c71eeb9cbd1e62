"""How a picture is shown: at which size, cut where, mirrored, in which colours (pure)."""
