"""How much GOV.UK Notify takes. Lengths are counted after the placeholders are filled in."""

SMS_CHARACTERS = 918
EMAIL_BYTES = 2_000_000
REFERENCE_CHARACTERS = 1000
LETTER_PAGES = 10
QR_CODE_BYTES = 504

EMAIL_ADDRESS_CHARACTERS = 320
HOSTNAME_CHARACTERS = 253
HOSTNAME_LABEL_CHARACTERS = 63

ADDRESS_LINES_AT_LEAST = 3
ADDRESS_LINES_AT_MOST = 7

FILE_BYTES = 2 * 1024 * 1024 + 1024
FILENAME_CHARACTERS = 100
FILE_EXTENSIONS = (
    ".csv",
    ".doc",
    ".docx",
    ".jpeg",
    ".jpg",
    ".json",
    ".odt",
    ".pdf",
    ".png",
    ".rtf",
    ".txt",
    ".xlsx",
)
FILE_RETENTION_WEEKS_AT_MOST = 78

MESSAGES_A_MINUTE = 3_000
EMAILS_A_DAY = 250_000
SMS_A_DAY = 250_000
INTERNATIONAL_SMS_A_DAY = 100
LETTERS_A_DAY = 20_000
"""A day is a day in UTC; a minute counts for each service and key type."""
