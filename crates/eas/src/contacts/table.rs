//! Which element each text of a contact is.

use crate::version::ProtocolVersion;
use dme_model::ContactText;
use dme_wbxml::Tag;
use dme_wbxml::pages::{contacts, contacts2};

use ContactText as T;
use ProtocolVersion as V;

/// Each text with its tag and the first version that knows it, in the order of the code pages.
pub(super) const TEXTS: &[(ContactText, Tag, ProtocolVersion)] = &[
    (T::AssistantName, contacts::ASSISTANT_NAME, V::V12_1),
    (T::AssistantPhone, contacts::ASSISTANT_PHONE_NUMBER, V::V12_1),
    (T::BusinessPhone2, contacts::BUSINESS2_PHONE_NUMBER, V::V12_1),
    (T::BusinessCity, contacts::BUSINESS_ADDRESS_CITY, V::V12_1),
    (T::BusinessCountry, contacts::BUSINESS_ADDRESS_COUNTRY, V::V12_1),
    (T::BusinessPostalCode, contacts::BUSINESS_ADDRESS_POSTAL_CODE, V::V12_1),
    (T::BusinessState, contacts::BUSINESS_ADDRESS_STATE, V::V12_1),
    (T::BusinessStreet, contacts::BUSINESS_ADDRESS_STREET, V::V12_1),
    (T::BusinessFax, contacts::BUSINESS_FAX_NUMBER, V::V12_1),
    (T::BusinessPhone, contacts::BUSINESS_PHONE_NUMBER, V::V12_1),
    (T::CarPhone, contacts::CAR_PHONE_NUMBER, V::V12_1),
    (T::CompanyName, contacts::COMPANY_NAME, V::V12_1),
    (T::Department, contacts::DEPARTMENT, V::V12_1),
    (T::Email1, contacts::EMAIL1_ADDRESS, V::V12_1),
    (T::Email2, contacts::EMAIL2_ADDRESS, V::V12_1),
    (T::Email3, contacts::EMAIL3_ADDRESS, V::V12_1),
    (T::FileAs, contacts::FILE_AS, V::V12_1),
    (T::FirstName, contacts::FIRST_NAME, V::V12_1),
    (T::HomePhone2, contacts::HOME2_PHONE_NUMBER, V::V12_1),
    (T::HomeCity, contacts::HOME_ADDRESS_CITY, V::V12_1),
    (T::HomeCountry, contacts::HOME_ADDRESS_COUNTRY, V::V12_1),
    (T::HomePostalCode, contacts::HOME_ADDRESS_POSTAL_CODE, V::V12_1),
    (T::HomeState, contacts::HOME_ADDRESS_STATE, V::V12_1),
    (T::HomeStreet, contacts::HOME_ADDRESS_STREET, V::V12_1),
    (T::HomeFax, contacts::HOME_FAX_NUMBER, V::V12_1),
    (T::HomePhone, contacts::HOME_PHONE_NUMBER, V::V12_1),
    (T::JobTitle, contacts::JOB_TITLE, V::V12_1),
    (T::LastName, contacts::LAST_NAME, V::V12_1),
    (T::MiddleName, contacts::MIDDLE_NAME, V::V12_1),
    (T::MobilePhone, contacts::MOBILE_PHONE_NUMBER, V::V12_1),
    (T::OfficeLocation, contacts::OFFICE_LOCATION, V::V12_1),
    (T::OtherCity, contacts::OTHER_ADDRESS_CITY, V::V12_1),
    (T::OtherCountry, contacts::OTHER_ADDRESS_COUNTRY, V::V12_1),
    (T::OtherPostalCode, contacts::OTHER_ADDRESS_POSTAL_CODE, V::V12_1),
    (T::OtherState, contacts::OTHER_ADDRESS_STATE, V::V12_1),
    (T::OtherStreet, contacts::OTHER_ADDRESS_STREET, V::V12_1),
    (T::Pager, contacts::PAGER_NUMBER, V::V12_1),
    (T::RadioPhone, contacts::RADIO_PHONE_NUMBER, V::V12_1),
    (T::Spouse, contacts::SPOUSE, V::V12_1),
    (T::Suffix, contacts::SUFFIX, V::V12_1),
    (T::Title, contacts::TITLE, V::V12_1),
    (T::WebPage, contacts::WEB_PAGE, V::V12_1),
    (T::YomiCompanyName, contacts::YOMI_COMPANY_NAME, V::V12_1),
    (T::YomiFirstName, contacts::YOMI_FIRST_NAME, V::V12_1),
    (T::YomiLastName, contacts::YOMI_LAST_NAME, V::V12_1),
    (T::Alias, contacts::ALIAS, V::V14_0),
    (T::WeightedRank, contacts::WEIGHTED_RANK, V::V14_0),
    (T::CustomerId, contacts2::CUSTOMER_ID, V::V12_1),
    (T::GovernmentId, contacts2::GOVERNMENT_ID, V::V12_1),
    (T::Im1, contacts2::IM_ADDRESS, V::V12_1),
    (T::Im2, contacts2::IM_ADDRESS2, V::V12_1),
    (T::Im3, contacts2::IM_ADDRESS3, V::V12_1),
    (T::ManagerName, contacts2::MANAGER_NAME, V::V12_1),
    (T::CompanyMainPhone, contacts2::COMPANY_MAIN_PHONE, V::V12_1),
    (T::AccountName, contacts2::ACCOUNT_NAME, V::V12_1),
    (T::NickName, contacts2::NICK_NAME, V::V12_1),
    (T::Mms, contacts2::MMS, V::V12_1),
];

/// What else is deleted when a change leaves it out. The picture and the notes are not: a phone may
/// have been told neither in full.
pub(super) const DELETABLE: &[Tag] =
    &[contacts::ANNIVERSARY, contacts::BIRTHDAY, contacts::CATEGORIES, contacts::CHILDREN];

/// The text that an element holds.
pub(super) fn text_of(tag: Tag) -> Option<ContactText> {
    TEXTS.iter().find(|(_, known, _)| *known == tag).map(|(text, _, _)| *text)
}
