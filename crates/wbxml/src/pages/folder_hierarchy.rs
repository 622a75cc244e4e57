//! Code page 7, FolderHierarchy: FolderSync and its kin (MS-ASCMD 2.2.1.3 to 2.2.1.6).

super::page! { 7, "FolderHierarchy",
    FOLDERS = 0x05, "Folders";
    FOLDER = 0x06, "Folder";
    DISPLAY_NAME = 0x07, "DisplayName";
    SERVER_ID = 0x08, "ServerId";
    PARENT_ID = 0x09, "ParentId";
    TYPE = 0x0A, "Type";
    STATUS = 0x0C, "Status";
    CHANGES = 0x0E, "Changes";
    ADD = 0x0F, "Add";
    DELETE = 0x10, "Delete";
    UPDATE = 0x11, "Update";
    SYNC_KEY = 0x12, "SyncKey";
    FOLDER_CREATE = 0x13, "FolderCreate";
    FOLDER_DELETE = 0x14, "FolderDelete";
    FOLDER_UPDATE = 0x15, "FolderUpdate";
    FOLDER_SYNC = 0x16, "FolderSync";
    COUNT = 0x17, "Count";
}
