"""ControlNets: pictures that a drawing follows, made to hints, and the residuals that they come to."""
