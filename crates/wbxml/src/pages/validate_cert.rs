//! Code page 11, ValidateCert: ValidateCert (MS-ASCMD 2.2.1.22).

super::page! { 11, "ValidateCert",
    VALIDATE_CERT = 0x05, "ValidateCert";
    CERTIFICATES = 0x06, "Certificates";
    CERTIFICATE = 0x07, "Certificate";
    CERTIFICATE_CHAIN = 0x08, "CertificateChain";
    CHECK_CRL = 0x09, "CheckCRL";
    STATUS = 0x0A, "Status";
}
