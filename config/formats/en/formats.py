"""How times are written on the staff's screens: with their zone, always."""

DATETIME_FORMAT = "j M Y H:i:s e"
DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i:s e"
SHORT_DATETIME_FORMAT = "Y-m-d H:i e"
SHORT_DATE_FORMAT = "Y-m-d"
