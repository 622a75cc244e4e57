//! Code page 23, Notes: notes (MS-ASNOTE).

super::page! { 23, "Notes",
    SUBJECT = 0x05, "Subject";
    MESSAGE_CLASS = 0x06, "MessageClass";
    LAST_MODIFIED_DATE = 0x07, "LastModifiedDate";
    CATEGORIES = 0x08, "Categories";
    CATEGORY = 0x09, "Category";
}
