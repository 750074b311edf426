//! TLS to PostgreSQL, with libpq's six modes.

use crate::database::error::DbError;

/// libpq's `sslmode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum TlsMode {
    /// Never.
    Disable,
    /// Only when the server refuses without.
    Allow,
    /// When the server can; whoever it is.
    #[default]
    Prefer,
    /// Always; whoever it is.
    Require,
    /// Always; the certificate must come from a known authority.
    VerifyCa,
    /// Always; the certificate must be for this host, too.
    VerifyFull,
}

impl TlsMode {
    /// The mode that a word of a URL means.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

/// What a URL says about TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TlsOptions {
    /// `sslmode`.
    pub(super) mode: TlsMode,
    /// `sslrootcert`: a PEM file, or `system`. Without it a verifying mode takes the system's authorities.
    pub(super) root_certificate: Option<String>,
    /// `sslcert`: a PEM file.
    pub(super) certificate: Option<String>,
    /// `sslkey`: a PEM file.
    pub(super) key: Option<String>,
}

/// How a session speaks TLS: needed again to cancel.
#[derive(Clone)]
pub(super) enum Tls {
    /// Not at all.
    None,
    /// By rustls, when the mode and the server want it.
    #[cfg(feature = "postgres-tls")]
    Rustls(tokio_postgres_rustls::MakeRustlsConnect),
}

#[cfg(not(feature = "postgres-tls"))]
impl Tls {
    /// This build has no TLS: an error where the URL demands it.
    pub(super) fn new(options: &TlsOptions) -> Result<Self, DbError> {
        match options.mode {
            TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer => Ok(Self::None),
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => {
                Err(crate::database::address::invalid_option(
                    "sslmode",
                    "This build of zdm has no TLS: build it with the feature postgres-tls.",
                ))
            }
        }
    }
}

#[cfg(feature = "postgres-tls")]
impl Tls {
    /// Reads the certificates that the options name.
    pub(super) fn new(options: &TlsOptions) -> Result<Self, DbError> {
        rustls_config::build(options).map(Self::Rustls)
    }
}

#[cfg(feature = "postgres-tls")]
mod rustls_config {
    use std::sync::Arc;

    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
    use rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    };
    use tokio_postgres_rustls::MakeRustlsConnect;

    use super::{TlsMode, TlsOptions};
    use crate::database::address::{invalid, invalid_option};
    use crate::database::error::DbError;

    /// A connector that verifies as the mode says.
    pub(super) fn build(options: &TlsOptions) -> Result<MakeRustlsConnect, DbError> {
        // An application may have other providers in its process: ours is named, never taken from there.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let inner =
            match options.mode {
                TlsMode::VerifyCa | TlsMode::VerifyFull => {
                    let roots = Arc::new(roots(options.root_certificate.as_deref())?);
                    let built =
                        WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
                            .build();
                    Some(built.map_err(|error| {
                        invalid(format!("could not use the certificates: {error}"))
                    })?)
                }
                TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer | TlsMode::Require => None,
            };
        let verifier = Verifier { mode: options.mode, inner, provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(format!("could not set up TLS: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match (&options.certificate, &options.key) {
            (Some(certificate), Some(key)) => {
                let chain = certificates("sslcert", certificate)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| unreadable("sslkey", &error))?;
                let set = config.with_client_auth_cert(chain, key);
                set.map_err(|error| {
                    invalid(format!("could not use the client certificate: {error}"))
                })?
            }
            (None, None) => config.with_no_client_auth(),
            _ => {
                return Err(invalid_option(
                    "sslcert",
                    "It needs sslkey beside it, and the reverse.",
                ));
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn unreadable(key: &str, error: &dyn std::fmt::Display) -> DbError {
        let mut wrong = invalid_option(key, "It names a file in PEM format that zdm may read.");
        wrong.detail = Some(error.to_string());
        wrong
    }

    fn certificates(key: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, DbError> {
        let opened =
            CertificateDer::pem_file_iter(path).map_err(|error| unreadable(key, &error))?;
        let found: Result<Vec<_>, _> = opened.collect();
        let found = found.map_err(|error| unreadable(key, &error))?;
        if found.is_empty() {
            Err(unreadable(key, &"there is no certificate in it"))
        } else {
            Ok(found)
        }
    }

    fn roots(path: Option<&str>) -> Result<RootCertStore, DbError> {
        let mut roots = RootCertStore::empty();
        match path {
            Some(path) if path != "system" => {
                for certificate in certificates("sslrootcert", path)? {
                    roots.add(certificate).map_err(|error| unreadable("sslrootcert", &error))?;
                }
            }
            _ => {
                let (_known, _unknown) =
                    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(invalid_option(
                "sslmode",
                "The system has no authorities: name a file by sslrootcert.",
            ));
        }
        Ok(roots)
    }

    /// `require` takes every certificate, `verify-ca` one for another host, `verify-full` only the right one.
    #[derive(Debug)]
    struct Verifier {
        mode: TlsMode,
        inner: Option<Arc<WebPkiServerVerifier>>,
        provider: Arc<rustls::crypto::CryptoProvider>,
    }

    impl ServerCertVerifier for Verifier {
        fn verify_server_cert(
            &self,
            end_entity: &CertificateDer<'_>,
            intermediates: &[CertificateDer<'_>],
            server_name: &ServerName<'_>,
            ocsp_response: &[u8],
            now: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            let Some(inner) = &self.inner else {
                return Ok(ServerCertVerified::assertion());
            };
            let verdict = inner.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
            match verdict {
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) if self.mode == TlsMode::VerifyCa => Ok(ServerCertVerified::assertion()),
                verdict => verdict,
            }
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, cert, signed, algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, cert, signed, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    }
}
