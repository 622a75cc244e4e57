//! Code page 24, RightsManagement: rights management (MS-ASRM).

super::page! { 24, "RightsManagement",
    RIGHTS_MANAGEMENT_SUPPORT = 0x05, "RightsManagementSupport";
    RIGHTS_MANAGEMENT_TEMPLATES = 0x06, "RightsManagementTemplates";
    RIGHTS_MANAGEMENT_TEMPLATE = 0x07, "RightsManagementTemplate";
    RIGHTS_MANAGEMENT_LICENSE = 0x08, "RightsManagementLicense";
    EDIT_ALLOWED = 0x09, "EditAllowed";
    REPLY_ALLOWED = 0x0A, "ReplyAllowed";
    REPLY_ALL_ALLOWED = 0x0B, "ReplyAllAllowed";
    FORWARD_ALLOWED = 0x0C, "ForwardAllowed";
    MODIFY_RECIPIENTS_ALLOWED = 0x0D, "ModifyRecipientsAllowed";
    EXTRACT_ALLOWED = 0x0E, "ExtractAllowed";
    PRINT_ALLOWED = 0x0F, "PrintAllowed";
    EXPORT_ALLOWED = 0x10, "ExportAllowed";
    PROGRAMMATIC_ACCESS_ALLOWED = 0x11, "ProgrammaticAccessAllowed";
    OWNER = 0x12, "Owner";
    CONTENT_EXPIRY_DATE = 0x13, "ContentExpiryDate";
    TEMPLATE_ID = 0x14, "TemplateID";
    TEMPLATE_NAME = 0x15, "TemplateName";
    TEMPLATE_DESCRIPTION = 0x16, "TemplateDescription";
    CONTENT_OWNER = 0x17, "ContentOwner";
    REMOVE_RIGHTS_MANAGEMENT_PROTECTION = 0x18, "RemoveRightsManagementProtection";
}
