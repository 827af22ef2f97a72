//! TLS for a terminal's connection: two threads carry bytes between the socket and a pair of local ones, so that whoever reads
//! and writes sees a plain stream.
//!
//! As with redis-cli the server's certificate has to come from a known authority, while its name is not compared.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, InvalidMessage,
    RootCertStore, SignatureScheme,
};

use super::link::reason;
use crate::cli::options;

const CHUNK_BYTES: usize = 32 * 1024;

/// How connections are made safe.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    sni: Option<String>,
}

impl Tls {
    /// As the flags say; the error is for the user.
    pub fn new(flags: &options::Tls) -> Result<Tls, String> {
        let provider = Arc::new(provider(flags)?);
        let verifier: Arc<dyn ServerCertVerifier> = match flags.insecure {
            true => Arc::new(Anyone(provider.clone())),
            false => Arc::new(KnownAuthority::new(authorities(flags)?, provider.clone())?),
        };
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match (&flags.certificate, &flags.key) {
            (Some(certificate), Some(key)) => {
                let unreadable = || "Invalid client certificate".to_owned();
                let chain =
                    certificates(certificate).filter(|chain| !chain.is_empty()).ok_or_else(unreadable)?;
                let key = PrivateKeyDer::from_pem_file(key).ok();
                let key = key.and_then(|key| provider.key_provider.load_private_key(key).ok());
                let mine = CertifiedKey::new(chain, key.ok_or("Invalid private key")?);
                if mine.keys_match().is_err() {
                    return Err("Invalid private key".to_owned());
                }
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(mine)))
            }
            (None, None) => builder.with_no_client_auth(),
            _ => return Err("Both --cert and --key are required.".to_owned()),
        };
        config.enable_sni = flags.sni.is_some();
        Ok(Tls { config: Arc::new(config), sni: flags.sni.clone() })
    }

    /// Shakes hands over a connection and gives a plain stream in its place.
    pub fn wrap(
        &self,
        mut socket: TcpStream,
        host: &str,
        patience: Option<Duration>,
    ) -> Result<UnixStream, String> {
        let name = self.sni.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(|_| "Failed to set SNI".to_owned())?;
        let mut connection = ClientConnection::new(self.config.clone(), name).map_err(told)?;
        socket.set_read_timeout(patience).map_err(|error| reason(&error))?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut socket) {
                let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
                return Err(inner
                    .map_or_else(|| format!("SSL_connect failed: {}", reason(&error)), |e| told(e.clone())));
            }
        }
        socket.set_read_timeout(None).map_err(|error| reason(&error))?;
        carry(connection, socket).map_err(|error| reason(&error))
    }
}

/// In OpenSSL's words, which redis-cli's users know.
fn told(error: Error) -> String {
    let why = match error {
        Error::InvalidCertificate(_) => "certificate verify failed".to_owned(),
        Error::AlertReceived(alert) => {
            // OpenSSL names the protocol that brought an alert, whichever is spoken.
            let since = match u8::from(alert) {
                ..=47 => "sslv3",
                109 | 116 => "tlsv13",
                _ => "tlsv1",
            };
            format!("{since} alert {}", words(&format!("{alert:?}")))
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => "wrong version number".to_owned(),
        other => other.to_string(),
    };
    format!("SSL_connect failed: {why}")
}

/// `HandshakeFailure` as `handshake failure`.
fn words(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        // Abbreviations stay together.
        if letter.is_ascii_uppercase() && text.ends_with(|last: char| last.is_ascii_lowercase()) {
            text.push(' ');
        }
        text.push(letter);
    }
    text.to_ascii_lowercase()
}

// ---- what is trusted

fn certificates(path: &str) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).ok()?.collect::<Result<_, _>>().ok()
}

fn authorities(flags: &options::Tls) -> Result<Vec<CertificateDer<'static>>, String> {
    let invalid = || "Invalid CA Certificate File/Directory".to_owned();
    if let Some(file) = &flags.ca_file {
        return certificates(file).filter(|found| !found.is_empty()).ok_or_else(invalid);
    }
    let Some(folder) = &flags.ca_directory else { return Ok(rustls_native_certs::load_native_certs().certs) };
    let files = std::fs::read_dir(folder).map_err(|_| invalid())?;
    let paths = files.flatten().filter_map(|file| file.path().to_str().map(str::to_owned));
    Ok(paths.filter_map(|path| certificates(&path)).flatten().collect())
}

/// All ciphers, or those named by `--tls-ciphers` and `--tls-ciphersuites`.
fn provider(flags: &options::Tls) -> Result<CryptoProvider, String> {
    let mut provider = ring::default_provider();
    // OpenSSL's names and the standard's differ in little more than their separators.
    let plain = |name: &str| {
        let name = name.to_ascii_uppercase().replace("TLS13", "").replace("TLS", "").replace("WITH", "");
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>()
    };
    for (list, is_newest) in [(&flags.ciphers, false), (&flags.cipher_suites, true)] {
        let Some(list) = list else { continue };
        let wanted: Vec<String> =
            list.split([':', ',', ' ']).map(plain).filter(|name| !name.is_empty()).collect();
        let before = provider.cipher_suites.len();
        let mut kept = 0;
        provider.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite());
            let concerned = name.starts_with("TLS13") == is_newest;
            let keep = !concerned || wanted.iter().any(|wanted| plain(&name).starts_with(wanted));
            kept += usize::from(concerned && keep);
            keep
        });
        if kept == 0 && before > 0 {
            return Err("Error while configuring ciphers".to_owned());
        }
    }
    Ok(provider)
}

/// Checks who has signed a certificate, and not whose it is.
#[derive(Debug)]
struct KnownAuthority {
    roots: Vec<CertificateDer<'static>>,
    inner: Arc<WebPkiServerVerifier>,
}

impl KnownAuthority {
    fn new(
        roots: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<KnownAuthority, String> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map_err(|_| "Invalid CA Certificate File/Directory".to_owned())?;
        Ok(KnownAuthority { roots, inner })
    }
}

impl ServerCertVerifier for KnownAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // A certificate that vouches for itself is trusted when it was named.
        if self.roots.iter().any(|root| root == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// `--insecure`: any certificate, as long as the server has its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

// ---- carrying

/// Both threads take the connection only for as long as bytes are turned into others, never while they travel.
struct Shared {
    connection: Mutex<ClientConnection>,
    socket: Mutex<TcpStream>,
}

impl Shared {
    /// Changes the connection, then sends what it has to say; the order of what is sent is that of the changes.
    fn say(&self, change: impl FnOnce(&mut ClientConnection) -> std::io::Result<()>) -> std::io::Result<()> {
        let mut socket = self.socket.lock().map_err(|_| std::io::ErrorKind::Other)?;
        let mut bytes = Vec::new();
        {
            let mut connection = self.connection.lock().map_err(|_| std::io::ErrorKind::Other)?;
            change(&mut connection)?;
            while connection.wants_write() {
                connection.write_tls(&mut bytes)?;
            }
        }
        socket.write_all(&bytes)
    }
}

fn carry(mut connection: ClientConnection, socket: TcpStream) -> std::io::Result<UnixStream> {
    // What is written is at most what was read from the pair at once.
    connection.set_buffer_limit(None);
    let (ours, inner) = UnixStream::pair()?;
    let (mut from_user, mut to_user) = (inner.try_clone()?, inner);
    let mut from_server = socket.try_clone()?;
    let shared = Arc::new(Shared { connection: Mutex::new(connection), socket: Mutex::new(socket) });
    let outward = shared.clone();
    std::thread::spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(count @ 1..) = from_user.read(&mut chunk) {
            if outward.say(|connection| connection.writer().write_all(&chunk[..count])).is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = outward.say(|connection| {
            connection.send_close_notify();
            Ok(())
        });
        if let Ok(socket) = outward.socket.lock() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    });
    std::thread::spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        // What came with the end of the handshake is to be given out first.
        let mut count = 0;
        while let Ok(text) = opened(&shared, &chunk[..count]) {
            if !text.is_empty() && to_user.write_all(&text).is_err() {
                break;
            }
            match from_server.read(&mut chunk) {
                Ok(read @ 1..) => count = read,
                _ => break,
            }
        }
        let _ = to_user.shutdown(Shutdown::Both);
    });
    Ok(ours)
}

/// What bytes from the server say.
fn opened(shared: &Shared, mut bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut must_answer = false;
    {
        let mut connection = shared.connection.lock().map_err(|_| std::io::ErrorKind::Other)?;
        loop {
            if !bytes.is_empty() {
                connection.read_tls(&mut bytes)?;
            }
            let state = connection.process_new_packets().map_err(std::io::Error::other)?;
            let ready = state.plaintext_bytes_to_read();
            let from = text.len();
            text.resize(from + ready, 0);
            if ready > 0 {
                connection.reader().read_exact(&mut text[from..])?;
            }
            if bytes.is_empty() {
                must_answer |= connection.wants_write();
                break;
            }
        }
    }
    if must_answer {
        shared.say(|_| Ok(()))?;
    }
    Ok(text)
}
