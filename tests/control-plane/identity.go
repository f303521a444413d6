package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// identity is what makes a cluster the same one after a restart.
type identity struct {
	caFile         string
	caPEM          []byte
	certFile       string
	keyFile        string
	serviceAccount string
}

// loadIdentity reads the keys and certificates in dir, or makes them.
func loadIdentity(dir string) (*identity, error) {
	id := &identity{
		caFile:         filepath.Join(dir, "ca.crt"),
		certFile:       filepath.Join(dir, "server.crt"),
		keyFile:        filepath.Join(dir, "server.key"),
		serviceAccount: filepath.Join(dir, "service-account.key"),
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// ca.crt is written last: when it is there, all of them are.
	_, err := os.Stat(id.caFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = id.create(filepath.Join(dir, "ca.key"))
	}
	if err != nil {
		return nil, err
	}
	id.caPEM, err = os.ReadFile(id.caFile)
	return id, err
}

func (id *identity) create(caKeyFile string) error {
	caKey, err := newKey(caKeyFile)
	if err != nil {
		return err
	}
	serverKey, err := newKey(id.keyFile)
	if err != nil {
		return err
	}
	if _, err := newKey(id.serviceAccount); err != nil {
		return err
	}
	// From yesterday on: clocks are allowed to differ a little.
	from, to := time.Now().Add(-24*time.Hour), time.Now().Add(10*365*24*time.Hour)
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "control-plane for tests"},
		NotBefore:             from,
		NotAfter:              to,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "kube-apiserver"},
		NotBefore:    from,
		NotAfter:     to,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)},
		DNSNames:     []string{"localhost", "kubernetes.default.svc"},
	}
	if err := sign(id.certFile, server, ca, serverKey, caKey); err != nil {
		return err
	}
	return sign(id.caFile, ca, ca, caKey, caKey)
}

func newKey(file string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writeFile(file, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func sign(file string, subject, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, subject, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return err
	}
	return writeFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
