//! Code page 6, GetItemEstimate: GetItemEstimate (MS-ASCMD 2.2.1.9).

super::page! { 6, "GetItemEstimate",
    GET_ITEM_ESTIMATE = 0x05, "GetItemEstimate";
    COLLECTIONS = 0x07, "Collections";
    COLLECTION = 0x08, "Collection";
    CLASS = 0x09, "Class";
    COLLECTION_ID = 0x0A, "CollectionId";
    ESTIMATE = 0x0C, "Estimate";
    RESPONSE = 0x0D, "Response";
    STATUS = 0x0E, "Status";
}
